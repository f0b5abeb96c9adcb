import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { AppError } from '#errors';
import type { GraphiqlBundle } from './graphiql/graphiql-bundle.js';
import { graphiqlRoutes } from './graphiql/graphiql-routes.js';
import { formatError } from './graphql/error-format.js';
import { createExecutableSchema } from './graphql/executable-schema.js';
import type { GraphqlContext } from './graphql/graphql-context.js';
import { serveSubscriptions } from './graphql/subscription-server.js';
import { BearerAuth } from './http/bearer-auth.js';
import { replyWithErrors } from './http/error-reply.js';
import { type HealthCheck, healthRoutes } from './http/health-routes.js';
import { RequestGuard } from './http/request-guard.js';
import { workerEventsRoute } from './http/worker-events-route.js';

export interface AppOptions {
  readonly context: GraphqlContext;
  readonly apiToken: string | undefined;
  readonly internalToken: string;
  readonly onWorkerReady: (descriptorHash: string) => void;
  readonly healthChecks: Readonly<Record<string, HealthCheck>>;
  readonly graphiql: GraphiqlBundle;
  readonly logger: Logger;
}

/** The HTTP side of the server: GraphQL over HTTP and WebSocket, the workers' route, health and GraphiQL. */
export async function createApp(options: AppOptions) {
  const { context, logger } = options;
  const auth = new BearerAuth(options.apiToken);
  const guard = new RequestGuard({ localOnly: options.apiToken === undefined });
  const schema = createExecutableSchema();
  const app = Fastify({ forceCloseConnections: true });
  const apollo = new ApolloServer<GraphqlContext>({
    schema,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [fastifyApolloDrainPlugin(app), ApolloServerPluginLandingPageDisabled()],
    formatError: (formatted, error) => (error instanceof GraphQLError ? formatError(error, logger) : formatted),
  });
  await apollo.start();

  replyWithErrors(app, logger);
  app.addHook('onRequest', async (request) => {
    const refusal = guard.refusal(request.headers);
    if (refusal !== undefined) throw new AppError('FORBIDDEN', refusal);
  });
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    preHandler: async (request) => auth.check(request.headers.authorization),
    handler: fastifyApolloHandler(apollo, { context: async () => context }),
  });
  workerEventsRoute(app, {
    auth: new BearerAuth(options.internalToken),
    progress: context.runEvents.progress,
    onWorkerReady: options.onWorkerReady,
  });
  healthRoutes(app, options.healthChecks);
  graphiqlRoutes(app, options.graphiql);
  const subscriptions = serveSubscriptions(app.server, { schema, context, auth, guard, logger });
  return {
    listen: (address: { host: string; port: number }) => app.listen(address),
    close: async () => {
      await subscriptions.close();
      await apollo.stop();
      await app.close();
    },
  };
}
