import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLSchema, getOperationAST, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { AppError, ERROR_REGISTRY } from '#errors';
import type { BearerAuth } from '../http/bearer-auth.js';
import { refusalOfBody, refusalStatus } from '../http/error-reply.js';
import { formatError } from './error-format.js';
import type { GraphqlContext } from './graphql-context.js';
import { withinTime } from './limits/limited-time.js';
import type { OperationGate } from './limits/operation-gate.js';
import type { RequestLimits } from './limits/request-limits.js';
import { READ_AFTER_HEADER, waitForCommit } from './read-after.js';
import { ReadyLists } from './ready-lists.js';

export interface GraphqlRouteOptions {
  readonly schema: GraphQLSchema;
  readonly context: GraphqlContext;
  readonly auth: BearerAuth;
  readonly gate: OperationGate;
  readonly limits: Pick<RequestLimits, 'bodyBytes' | 'timeoutMs'>;
  readonly logger: Logger;
}

/** Queries and mutations over HTTP, by the GraphQL over HTTP specification. Every answer is a GraphQL answer, refusals too. */
export async function graphqlRoute(app: FastifyInstance, options: GraphqlRouteOptions): Promise<AsyncDisposable> {
  const { schema, context, auth, gate, limits, logger } = options;
  const apollo = new ApolloServer<GraphqlContext>({
    schema,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    // A document that is only named by its hash could not be measured before it is run.
    persistedQueries: false,
    logger,
    plugins: [
      fastifyApolloDrainPlugin(app),
      ApolloServerPluginLandingPageDisabled(),
      // It looks at every field of an answer, for caches that nobody has before a server of metadata.
      ApolloServerPluginCacheControlDisabled(),
      fillsInReadyLists,
    ],
    formatError: (_, error) => formatError(asGraphqlError(error), logger),
  });
  await apollo.start();
  const answer = fastifyApolloHandler(apollo, {
    // Apollo asks for the context first; there is no later step at which a request can be refused before it is validated.
    context: async (request) => {
      admit(gate, request);
      return { ...context, ready: new ReadyLists() };
    },
  });
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    bodyLimit: limits.bodyBytes,
    preHandler: async (request) => {
      auth.check(request.headers.authorization);
      const readAfter = request.headers[READ_AFTER_HEADER];
      if (readAfter !== undefined) await waitForCommit({ ...context, log: context.knowledge.log }, readAfter);
    },
    handler: (request, reply) => withinTime(limits.timeoutMs, Promise.resolve(answer.call(app, request, reply))),
    errorHandler: (error: FastifyError | AppError, _, reply) => {
      const cause = error instanceof AppError ? error : (refusalOfBody(error, limits.bodyBytes) ?? error);
      const status = cause instanceof AppError ? (refusalStatus(error) ?? ERROR_REGISTRY[cause.code].status) : 500;
      return reply.code(status).send({ errors: [formatError(asGraphqlError(cause), logger)] });
    },
  });
  return { [Symbol.asyncDispose]: () => apollo.stop() };
}

const fillsInReadyLists: ApolloServerPlugin<GraphqlContext> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ response: { body }, contextValue }) => {
      if (body.kind === 'single') contextValue.ready?.fillIn(body.singleResult.data);
    },
  }),
};

function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError('', { originalError: error instanceof Error ? error : new Error(String(error)) });
}

/** @throws GraphQLError when the operation is over a limit, or a subscription, whose fields have nothing to resolve here */
function admit(gate: OperationGate, request: FastifyRequest): void {
  const { query, variables, operationName } = request.method === 'GET' ? inUrl(request.url) : inBody(request.body);
  // What is no request at all is Apollo's to refuse.
  if (typeof query !== 'string') return;
  const document = gate.parse(query);
  const name = typeof operationName === 'string' ? operationName : undefined;
  const [refusal] = gate.check(document, { variables: isObject(variables) ? variables : {}, operationName: name });
  if (refusal !== undefined) throw refusal;
  if (getOperationAST(document, name)?.operation !== OperationTypeNode.SUBSCRIPTION) return;
  throw new GraphQLError('subscriptions are served over WebSocket alone, subprotocol graphql-transport-ws', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });
}

interface RequestParts {
  readonly query?: unknown;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

function inBody(body: unknown): RequestParts {
  return isObject(body) ? body : {};
}

function inUrl(url: string): RequestParts {
  const { searchParams } = new URL(url, 'http://localhost');
  const variables = searchParams.get('variables');
  return {
    query: searchParams.get('query'),
    operationName: searchParams.get('operationName'),
    variables: variables === null ? undefined : parseJson(variables),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
