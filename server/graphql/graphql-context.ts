import type { Knowledge } from '#graph-store';
import type { CommandContext } from '../commands/command-context.js';
import type { EventSources } from '../events/event-sources.js';

/** What resolvers are given with every operation, over HTTP and WebSocket alike. */
export interface GraphqlContext {
  readonly commands: CommandContext;
  readonly knowledge: Knowledge;
  readonly events: EventSources;
  /** Who writes, as the change log names them. */
  readonly actor: string;
  /** Address of Neo4j Browser as people reach it. */
  readonly browserUrl: string | undefined;
}
