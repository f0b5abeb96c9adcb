import { type RunEvent, type RunEventFilter, runEventStream } from '../run-events/run-event-stream.js';
import type { GraphqlContext } from './graphql-context.js';
import { runView } from './views.js';

export const subscriptionResolvers = {
  ingestionRunEvents: {
    subscribe: (
      _: unknown,
      args: { filter?: RunEventFilter | null; after?: string | null },
      { runEvents }: GraphqlContext,
    ) => runEventStream(runEvents, { filter: args.filter ?? {}, after: args.after }),
    resolve: (event: RunEvent, _: unknown, { browserUrl }: GraphqlContext) => ({
      ...event,
      run: event.run === null ? null : runView(event.run, browserUrl),
    }),
  },
};
