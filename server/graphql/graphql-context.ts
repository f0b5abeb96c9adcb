import type { Knowledge, LineageReader, RunLineageReader } from '#graph-store';
import type { LineageRetention, OpenLineage } from '#ingestion';
import type { RetentionPolicy } from '../commands/apply-lineage-retention.js';
import type { CommandContext } from '../commands/command-context.js';
import type { EventSources } from '../events/event-sources.js';
import type { ReadyLists } from './ready-lists.js';

/** What resolvers are given with every operation, over HTTP and WebSocket alike. */
export interface GraphqlContext {
  readonly commands: CommandContext;
  readonly knowledge: Knowledge;
  readonly lineage: LineageReader & RunLineageReader;
  readonly events: EventSources;
  /** Undefined where no events of OpenLineage are taken. */
  readonly openLineage?: OpenLineage | undefined;
  readonly retention: LineageRetention;
  /** What holds where a mutation says nothing else. */
  readonly retentionPolicy: RetentionPolicy;
  /** How long a mutation waits for the graph to have what the inbox has taken, in milliseconds. */
  readonly lineageWaitMs: number;
  /** Who writes, as the change log names them. */
  readonly actor: string;
  /** Address of Neo4j Browser as people reach it. */
  readonly browserUrl: string | undefined;
  /** Lists that are filled in after the execution; of this operation alone. Undefined where nobody fills them in. */
  readonly ready?: ReadyLists | undefined;
}
