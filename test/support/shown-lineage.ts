import { Neo4jLineageStore } from '#graph-store';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import type { InboxEntry } from '../../ingestion/openlineage/index.js';
import type { OwnGraph, TestGraph } from './graph.js';

/** Empties the graph and writes events and edits in batches, as if they came from an inbox of their own. */
export async function writeAfresh(graph: OwnGraph, events: readonly InboxEntry[], batchSize: number): Promise<void> {
  await graph.query('MATCH (n:Entity|LineageRecord|LineageInbox) DETACH DELETE n');
  const writer = new LineageEventWriter(new Neo4jLineageStore(graph.driver));
  for (let after = 0; after < events.length; after += batchSize) {
    const batch = events.slice(after, after + batchSize);
    await writer.write(batch, { inboxId: 'test', after, upTo: after + batch.length, fence: 1 });
  }
}

const BOOKKEEPING = 'version: null, createdAt: null, updatedAt: null, lastChange: null';
const NODES = `
MATCH (n:Entity) WHERE n.deletedAt IS NULL
RETURN n.urn AS urn, labels(n) AS labels, n { .*, ${BOOKKEEPING} } AS properties ORDER BY urn`;
const EDGES = `
MATCH (a:Entity)-[r]->(b:Entity) WHERE r.deletedAt IS NULL AND a.deletedAt IS NULL AND b.deletedAt IS NULL AND NOT coalesce(r.validFrom = [], false)
RETURN a.urn AS from, type(r) AS kind, b.urn AS to, r { .*, ${BOOKKEEPING} } AS properties ORDER BY from, kind, to`;

export interface ShownLineage {
  readonly nodes: readonly { readonly urn: string; readonly properties: Readonly<Record<string, unknown>> }[];
  readonly edges: readonly {
    readonly from: string;
    readonly kind: string;
    readonly to: string;
    readonly properties: Readonly<Record<string, unknown>>;
  }[];
}

/**
 * All that the graph shows, but for versions and the times of writing, which depend on the order of events, and for edges that are
 * valid at no time.
 */
export async function shownLineage(graph: TestGraph): Promise<ShownLineage> {
  const [nodes, edges] = await Promise.all([graph.query(NODES), graph.query(EDGES)]);
  const labelled = nodes.map((row) => ({ ...row, labels: (row.labels as string[]).sort() }));
  return { nodes: labelled, edges } as unknown as ShownLineage;
}
