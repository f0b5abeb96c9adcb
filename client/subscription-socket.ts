import { type Client, createClient } from 'graphql-ws/client';
import type { TokenSource } from './http-transport.js';
import { graphqlError, NucleusError, UnauthenticatedError } from './nucleus-error.js';

/** A WebSocket class: that of browsers, Node 22 or Bun, or of the `ws` package. */
export type WebSocketImplementation = new (url: string, protocols?: string | string[]) => unknown;

export interface SubscriptionRequest {
  readonly query: string;
  /** Asked for each time the operation is sent, so that it begins where the subscriber stands by then. */
  readonly variables: () => Readonly<Record<string, unknown>>;
}

export interface SubscriptionSink {
  next(data: unknown): void;
  /** The subscription is over: by an error, or by the server's own end of it. Called once, and not after `stop`. */
  end(error: NucleusError): void;
}

/** A quiet connection is asked for a sign of life this often. */
const PING_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const CONNECT_WITHIN_MS = 10_000;

/** One WebSocket that all subscriptions of a client share. It opens with the first and closes with the last. */
export class SubscriptionSocket {
  readonly #options: { url: string; token: TokenSource | undefined; webSocket: WebSocketImplementation | undefined };
  #client: Promise<Client> | undefined;
  #isClosed = false;

  constructor(options: { url: URL; token: TokenSource | undefined; webSocket: WebSocketImplementation | undefined }) {
    this.#options = { ...options, url: options.url.href };
  }

  /** @returns stops the subscription */
  subscribe(request: SubscriptionRequest, sink: SubscriptionSink): () => void {
    let stop = () => {
      over = true;
    };
    let over = false;
    const end = (error: NucleusError) => {
      if (over) return;
      over = true;
      sink.end(error);
    };
    this.#client ??= this.#isClosed
      ? Promise.reject(new NucleusError('UNREACHABLE', 'the client was closed', { retryable: false }))
      : this.#open();
    this.#client.then(
      (client) => {
        if (over) return;
        const payload = {
          query: request.query,
          // Read whenever graphql-ws sends the operation: it does so again by itself after a close with code 1000.
          get variables() {
            return request.variables();
          },
        };
        const unsubscribe = client.subscribe(payload, {
          next: ({ data, errors }) => {
            if (over) return;
            if (errors !== undefined && errors.length > 0) {
              end(graphqlError(errors[0]));
              unsubscribe();
            } else sink.next(data);
          },
          error: (error) => end(socketError(error)),
          complete: () => end(new NucleusError('UNREACHABLE', 'the server has ended the subscription')),
        });
        stop = () => {
          over = true;
          unsubscribe();
        };
      },
      (error: unknown) => end(socketError(error)),
    );
    return () => stop();
  }

  /** Ends every subscription, and those that are asked for later at once. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#isClosed = true;
    this.#client = undefined;
    // A connection that is just being tried, in vain, is closed as well.
    await client?.then((open) => open.dispose()).catch(() => undefined);
  }

  async #open(): Promise<Client> {
    const { url, token, webSocket } = this.#options;
    const implementation = webSocket ?? globalThis.WebSocket ?? (await import('ws')).WebSocket;
    let patience: ReturnType<typeof setTimeout> | undefined;
    const within = (ms: number) => {
      clearTimeout(patience);
      patience = setTimeout(() => client.terminate(), ms);
    };
    const settled = () => clearTimeout(patience);
    const client = createClient({
      url,
      webSocketImpl: implementation,
      connectionParams: async () => {
        const present = typeof token === 'function' ? await token() : token;
        return present === undefined ? {} : { authorization: `Bearer ${present}` };
      },
      // Who subscribes decides when to come back, and from which cursor.
      retryAttempts: 0,
      keepAlive: PING_MS,
      on: {
        connecting: () => within(CONNECT_WITHIN_MS),
        connected: settled,
        ping: (received) => received || within(PONG_WITHIN_MS),
        pong: (received) => received && settled(),
        closed: settled,
        error: settled,
      },
    });
    return client;
  }
}

/** graphql-ws hands over a close event, an error event, an error, or the `errors` of an answer. */
function socketError(from: unknown): NucleusError {
  if (Array.isArray(from)) return graphqlError(from[0]);
  if (from instanceof NucleusError) return from;
  const { code, reason, message } = (from ?? {}) as { code?: unknown; reason?: string; message?: string };
  if (typeof code === 'number') return closeError(code, reason ?? '');
  const status = Number(/unexpected server response: (\d{3})/i.exec(message ?? '')?.[1]);
  if (status === 401) return new UnauthenticatedError('the server wants another token (HTTP 401)');
  if (status === 403) return new NucleusError('FORBIDDEN', 'the server refuses this caller (HTTP 403)');
  if (status === 404) return new NucleusError('BAD_RESPONSE', 'no subscriptions are served here: check the address');
  return new NucleusError('UNREACHABLE', `no WebSocket: ${message || 'the connection failed'}`, { cause: from });
}

/** Close codes after which trying the same again is of no use, with what they say. */
const FATAL_CLOSE_CODES: Readonly<Record<number, string>> = {
  1002: 'a breach of the WebSocket protocol',
  1003: 'a message of a kind that the other side does not take',
  1007: 'a message that is not text',
  1008: 'a breach of policy',
  1009: 'a message that is too large',
  4004: 'an answer that is not of the graphql-transport-ws protocol',
  4400: 'a message that is not of the graphql-transport-ws protocol',
  4406: 'the server does not speak graphql-transport-ws',
};

function closeError(code: number, reason: string): NucleusError {
  const details = { closeCode: code };
  const said = reason === '' ? '' : ` (${reason})`;
  if (code === 4401 || code === 4403) {
    return new UnauthenticatedError('the server refuses the token of the WebSocket', { details });
  }
  const fatal = FATAL_CLOSE_CODES[code];
  if (fatal !== undefined) {
    return new NucleusError('BAD_RESPONSE', `the WebSocket was closed with ${code}: ${fatal}${said}`, { details });
  }
  return new NucleusError('UNREACHABLE', `the WebSocket was closed with ${code}${said}`, { details });
}
