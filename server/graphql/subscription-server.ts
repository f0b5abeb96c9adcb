import type { Server as HttpServer } from 'node:http';
import {
  type DocumentNode,
  type ExecutionArgs,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  validate,
  validateSchema,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { useServer as answerOver } from 'graphql-ws/use/ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { AppError } from '#errors';
import type { BearerAuth } from '../http/bearer-auth.js';
import type { RequestGuard } from '../http/request-guard.js';
import { formatError } from './error-format.js';
import type { GraphqlContext } from './graphql-context.js';
import { asGraphqlError, LimitError } from './limits/limit-error.js';
import type { OperationGate } from './limits/operation-gate.js';
import type { RequestLimits } from './limits/request-limits.js';
import { delivered } from './payload-delivery.js';
import { waitForCommit } from './read-after.js';
import { SharedExecutions } from './shared-executions.js';
import { SocketExecutions } from './socket-executions.js';

const INIT_TIMEOUT_MS = 5_000;

export interface SubscriptionServerOptions {
  readonly schema: GraphQLSchema;
  readonly context: GraphqlContext;
  readonly auth: BearerAuth;
  readonly guard: RequestGuard;
  readonly gate: OperationGate;
  readonly limits: RequestLimits;
  readonly logger: Logger;
}

/**
 * GraphQL over WebSocket (subprotocol `graphql-transport-ws`) at `/graphql`, as PROTOCOL.md describes it. Apollo's plugins do not
 * run here, so authentication, limits and error mapping are the functions that the HTTP side uses.
 */
export function serveSubscriptions(
  http: HttpServer,
  options: SubscriptionServerOptions,
): { close: () => Promise<void> } {
  const { schema, context, limits } = options;
  validateSchema(schema);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.bodyBytes });
  acceptUpgrades(http, sockets, options.guard);
  const format = (error: GraphQLError) => formatError(error, options.logger);
  const executions = new SharedExecutions({ formatError: format });
  const admit = admission(options);
  const running = new SocketExecutions();
  const graphql = answerOver(
    {
      schema,
      connectionInitWaitTimeout: INIT_TIMEOUT_MS,
      // A thrown error would close with 4500; false answers 4403, the protocol's "forbidden".
      onConnect: ({ connectionParams }) => isAuthentic(options.auth, authorizationOf(connectionParams ?? {})),
      onSubscribe: async ({ subscriptions, extra }, id, payload) => {
        const open = Object.keys(subscriptions).length;
        if (open > limits.socketOperations) return [tooManyOperations(open, limits.socketOperations)];
        const admitted = await admit(payload);
        if ('schema' in admitted) running.expect(admitted, extra.socket, () => id in subscriptions);
        return admitted;
      },
      execute: (args) => running.execute(args),
      context,
      // Subscriptions deliver their payloads themselves; what they yield does not go through `onNext`.
      subscribe: (args) => executions.subscribe(args) as Promise<AsyncGenerator<never>>,
      onOperation: ({ extra }, id, _, __, result) =>
        Symbol.asyncIterator in result
          ? delivered(result as AsyncIterable<unknown> as AsyncGenerator<Buffer>, { socket: extra.socket, id })
          : undefined,
      onError: (_, __, ___, errors) => errors.map((error) => format(causeOf(error))),
      onNext: (_, __, ___, ____, result) => {
        const { errors, ...rest } = result;
        return errors && ({ ...rest, errors: errors.map(format) } as FormattedExecutionResult);
      },
    },
    sockets,
  );
  return { close: async () => graphql.dispose() };
}

function acceptUpgrades(http: HttpServer, sockets: WebSocketServer, guard: RequestGuard): void {
  http.on('upgrade', (request, socket, head) => {
    const refusal =
      request.url?.split('?')[0] === '/graphql' ? guard.refusal(request.headers) && '403 Forbidden' : '404 Not Found';
    if (refusal) {
      // Node hands the bare socket over: without a listener a reset by the client would end the whole process.
      socket.on('error', () => socket.destroy());
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request));
  });
}

/** Parses and checks operations as the HTTP side does. The gate keeps documents, so their validation is kept by document. */
function admission({ schema, gate, context }: Pick<SubscriptionServerOptions, 'schema' | 'gate' | 'context'>) {
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  return async (payload: SubscribePayload): Promise<ExecutionArgs | readonly GraphQLError[]> => {
    const { query, operationName, variables, extensions } = payload;
    try {
      const document = gate.parse(query);
      const refused = gate.check(document, { variables, operationName });
      if (refused.length > 0) return refused;
      const invalid = validated.get(document) ?? validate(schema, document);
      validated.set(document, invalid);
      if (invalid.length > 0) return invalid;
      if (extensions?.readAfter !== undefined) {
        await waitForCommit({ ...context, log: context.knowledge.log }, extensions.readAfter);
      }
      return { schema, document, operationName, variableValues: variables ?? null };
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      if (error instanceof AppError) return [asGraphqlError(error)];
      throw error;
    }
  };
}

function tooManyOperations(actual: number, value: number): GraphQLError {
  return asGraphqlError(
    new LimitError(
      'RATE_LIMITED',
      { limit: 'socketOperations', value, actual },
      'complete operations that are no longer needed, or open another connection',
    ),
  );
}

/** What graphql-ws wraps once more when a stream fails. */
function causeOf(error: GraphQLError): GraphQLError {
  return error.originalError instanceof GraphQLError ? error.originalError : error;
}

/** Clients that pass their HTTP headers on as connection parameters spell the name as they like. */
function authorizationOf(parameters: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(parameters).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
}

function isAuthentic(auth: BearerAuth, authorization: unknown): boolean {
  try {
    auth.check(authorization);
    return true;
  } catch {
    return false;
  }
}
