import {
  graphChangeStream,
  type LineageChangeRequest,
  lineageChangeStream,
  runEventStream,
} from '../events/event-sources.js';
import type { GraphChangeFilter } from '../events/graph-change-filter.js';
import type { GraphChangeEvent } from '../events/graph-change-view.js';
import type { RunEvent, RunEventFilter } from '../events/run-event-view.js';
import type { GraphqlContext } from './graphql-context.js';
import { runView } from './views.js';

interface Resumable<Filter> {
  readonly filter?: Filter | null;
  readonly after?: string | null;
}

export const subscriptionResolvers = {
  graphChanges: {
    subscribe: (_: unknown, args: Resumable<GraphChangeFilter>, { events }: GraphqlContext) =>
      graphChangeStream(events, args),
    resolve: (event: GraphChangeEvent) => event,
  },

  lineageChanges: {
    subscribe: (_: unknown, args: LineageChangeRequest, { events, lineage, knowledge }: GraphqlContext) =>
      lineageChangeStream({ ...events, lineage, log: knowledge.log }, args),
    resolve: (event: GraphChangeEvent) => event,
  },

  ingestionRunEvents: {
    subscribe: (_: unknown, args: Resumable<RunEventFilter>, { events }: GraphqlContext) =>
      runEventStream(events, args),
    resolve: (event: RunEvent, _: unknown, { browserUrl }: GraphqlContext) => ({
      ...event,
      run: event.run === null ? null : runView(event.run, browserUrl),
    }),
  },
};
