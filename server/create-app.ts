import Fastify from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '#errors';
import type { GraphDriver } from '#graph-store';
import { browserRoutes, isForEveryOrigin } from './browser/browser-routes.js';
import { bulkRoute } from './bulk/bulk-route.js';
import { GeneratedEvents } from './events/generated-events.js';
import type { GraphiqlBundle } from './graphiql/graphiql-bundle.js';
import { graphiqlRoutes } from './graphiql/graphiql-routes.js';
import { createExecutableSchema } from './graphql/executable-schema.js';
import type { GraphqlContext } from './graphql/graphql-context.js';
import { graphqlRoute } from './graphql/graphql-route.js';
import { OperationGate } from './graphql/limits/operation-gate.js';
import type { RequestLimits } from './graphql/limits/request-limits.js';
import { serveSubscriptions } from './graphql/subscription-server.js';
import { BearerAuth } from './http/bearer-auth.js';
import { replyWithErrors } from './http/error-reply.js';
import { type HealthCheck, healthRoutes } from './http/health-routes.js';
import { RequestGuard } from './http/request-guard.js';
import { workerEventsRoute } from './http/worker-events-route.js';
import { impactRoute } from './lineage/impact-route.js';
import { lineageRoute } from './lineage/lineage-route.js';

export interface AppOptions {
  readonly context: GraphqlContext;
  /** What the generated reads run on. */
  readonly driver: GraphDriver;
  readonly apiToken: string | undefined;
  readonly internalToken: string;
  readonly onWorkerReady: (descriptorHash: string) => void;
  readonly healthChecks: Readonly<Record<string, HealthCheck>>;
  readonly graphiql: GraphiqlBundle;
  readonly limits: RequestLimits;
  /** Bytes of the body of one bulk request. */
  readonly bulkMaxBytes: number;
  /** Bounds of the routes for OpenLineage, which are there when the context has an intake. */
  readonly lineage: {
    /** Bytes of the body of one request. */
    readonly maxBytes: number;
    /** Milliseconds that a request waits for the graph when it asks for that. */
    readonly waitMs: number;
  };
  readonly logger: Logger;
}

/** The HTTP side of the server: GraphQL over HTTP and WebSocket, the workers' route, health, GraphiQL and what Neo4j Browser loads. */
export async function createApp(options: AppOptions) {
  const { context, limits, logger } = options;
  const auth = new BearerAuth(options.apiToken);
  const guard = new RequestGuard({ localOnly: options.apiToken === undefined });
  const changes = new GeneratedEvents(context.events, { reader: context.knowledge.reader, logger });
  const schema = await createExecutableSchema({ driver: options.driver, changes });
  const gate = new OperationGate(schema, limits.operation);
  const app = Fastify({ forceCloseConnections: true });

  replyWithErrors(app, logger);
  app.addHook('onRequest', async (request) => {
    const refusal = guard.refusal(request.headers, { anyOrigin: isForEveryOrigin(request.method, request.url) });
    if (refusal !== undefined) throw new AppError('FORBIDDEN', refusal);
  });
  const graphql = await graphqlRoute(app, { schema, context, auth, gate, limits, logger });
  bulkRoute(app, {
    ...context.knowledge,
    auth,
    actor: context.actor,
    maxBytes: options.bulkMaxBytes,
  });
  const { openLineage } = context;
  const { log } = context.knowledge;
  if (openLineage !== undefined) lineageRoute(app, { ...options.lineage, auth, openLineage, log });
  impactRoute(app, { lineage: context.lineage, written: { log, openLineage }, auth });
  workerEventsRoute(app, {
    auth: new BearerAuth(options.internalToken),
    progress: context.events.progress,
    onWorkerReady: options.onWorkerReady,
  });
  healthRoutes(app, options.healthChecks);
  graphiqlRoutes(app, options.graphiql);
  browserRoutes(app);
  const subscriptions = serveSubscriptions(app.server, { schema, context, auth, guard, gate, limits, logger });
  return {
    listen: (address: { host: string; port: number }) => app.listen(address),
    close: async () => {
      changes.close();
      await subscriptions.close();
      await graphql[Symbol.asyncDispose]();
      await app.close();
    },
  };
}
