import type { Driver } from 'neo4j-driver';
import type { ChangeLog, GraphStore } from './graph-store.js';
import { Neo4jKindRegistry } from './kind-registry.js';
import { Neo4jKnowledgeReader } from './knowledge-reader.js';
import type { KindRegistry, KnowledgeReader, KnowledgeWriter } from './knowledge-types.js';
import { CheckedKnowledgeWriter } from './knowledge-writer.js';

/** The knowledge base as its users meet it. */
export interface Knowledge {
  readonly kinds: KindRegistry;
  readonly writer: KnowledgeWriter;
  readonly reader: KnowledgeReader;
  readonly log: ChangeLog;
}

export function openKnowledge(driver: Driver, store: GraphStore, log: ChangeLog): Knowledge {
  const kinds = new Neo4jKindRegistry(driver, store);
  return {
    kinds,
    writer: new CheckedKnowledgeWriter({ driver, store, kinds }),
    reader: new Neo4jKnowledgeReader(driver, kinds),
    log,
  };
}
