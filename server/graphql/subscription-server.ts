import type { Server as HttpServer } from 'node:http';
import { type FormattedExecutionResult, type GraphQLSchema, validateSchema } from 'graphql';
import { useServer as answerOver } from 'graphql-ws/use/ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { BearerAuth } from '../http/bearer-auth.js';
import type { RequestGuard } from '../http/request-guard.js';
import { formatError } from './error-format.js';
import type { GraphqlContext } from './graphql-context.js';

const MAX_MESSAGE_BYTES = 1024 * 1024;
const INIT_TIMEOUT_MS = 5_000;

/**
 * GraphQL over WebSocket (subprotocol `graphql-transport-ws`) at `/graphql`. Apollo's plugins do not run here, so
 * authentication and error mapping are the functions that the HTTP side uses.
 */
export function serveSubscriptions(
  http: HttpServer,
  options: { schema: GraphQLSchema; context: GraphqlContext; auth: BearerAuth; guard: RequestGuard; logger: Logger },
): { close: () => Promise<void> } {
  validateSchema(options.schema);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  http.on('upgrade', (request, socket, head) => {
    const refusal =
      request.url?.split('?')[0] === '/graphql'
        ? options.guard.refusal(request.headers) && '403 Forbidden'
        : '404 Not Found';
    if (refusal) {
      // Node hands the bare socket over: without a listener a reset by the client would end the whole process.
      socket.on('error', () => socket.destroy());
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request));
  });
  const graphql = answerOver(
    {
      schema: options.schema,
      context: options.context,
      connectionInitWaitTimeout: INIT_TIMEOUT_MS,
      // A thrown error would close with 4500; false answers 4403, the protocol's "forbidden".
      onConnect: ({ connectionParams }) => isAuthentic(options.auth, authorizationOf(connectionParams ?? {})),
      onError: (_, __, ___, errors) => errors.map((error) => formatError(error, options.logger)),
      onNext: (_, __, ___, ____, { errors, ...rest }) =>
        errors &&
        ({ ...rest, errors: errors.map((error) => formatError(error, options.logger)) } as FormattedExecutionResult),
    },
    sockets,
  );
  return { close: async () => graphql.dispose() };
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
