import type { CommandContext } from '../commands/command-context.js';
import type { RunEventSources } from '../run-events/run-event-stream.js';

/** What resolvers are given with every operation, over HTTP and WebSocket alike. */
export interface GraphqlContext {
  readonly commands: CommandContext;
  readonly runEvents: RunEventSources;
  /** Address of Neo4j Browser as people reach it. */
  readonly browserUrl: string | undefined;
}
