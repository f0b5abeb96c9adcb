import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** The server answered with GraphQL errors, or not with GraphQL at all. */
class GraphqlRequestError extends Error {
  constructor(operation: string, reason: string) {
    super(`GraphQL ${operation}: ${reason}`);
    this.name = 'GraphqlRequestError';
  }
}

export interface GraphqlClientOptions {
  /** Root of the API, e.g. http://127.0.0.1:4000 */
  readonly apiUrl: string;
  /** Sent as a bearer token when the server wants one. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

type Variables = Record<string, unknown>;
interface Response {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string }[];
}

const REQUEST_TIMEOUT_MS = 30_000;

function operationName(document: string): string {
  return /\b(?:query|mutation|subscription)\s+(\w+)/.exec(document)?.[1] ?? 'request';
}

/** The public API as a user's program sees it: queries and mutations over HTTP, subscriptions over graphql-ws. */
export class GraphqlClient implements AsyncDisposable {
  readonly #options: GraphqlClientOptions;
  readonly #webSocket: Client;

  constructor(options: GraphqlClientOptions) {
    this.#options = options;
    const { token, apiUrl } = options;
    this.#webSocket = createClient({
      url: `${apiUrl.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      // The API may be restarted while a run goes on; it is back within this many tries, whose waits grow.
      retryAttempts: 8,
      shouldRetry: () => true,
      ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
    });
  }

  /** @throws GraphqlRequestError */
  async request<T>(document: string, variables: Variables = {}): Promise<T> {
    const { apiUrl, token, signal } = this.#options;
    const response = await fetch(`${apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ query: document, variables }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const text = await response.text();
    let body: Response;
    try {
      body = JSON.parse(text) as Response;
    } catch {
      throw new GraphqlRequestError(operationName(document), `HTTP ${response.status} without JSON`);
    }
    if (body.errors?.length) {
      throw new GraphqlRequestError(operationName(document), body.errors.map((error) => error.message).join('; '));
    }
    if (!response.ok) throw new GraphqlRequestError(operationName(document), `HTTP ${response.status}`);
    return body.data as T;
  }

  /**
   * Calls `onNext` for each event until the returned function is called.
   * @param onEnd called when the stream ends for good, with the reason when it was not asked to
   */
  subscribe<T>(
    document: string,
    variables: Variables,
    onNext: (data: T) => void,
    onEnd: (error?: Error) => void,
  ): () => void {
    return this.#webSocket.subscribe<T>(
      { query: document, variables },
      {
        next: ({ data, errors }) => {
          if (errors?.length)
            onEnd(new GraphqlRequestError(operationName(document), errors.map((e) => e.message).join('; ')));
          else if (data) onNext(data);
        },
        error: (cause) => onEnd(new GraphqlRequestError(operationName(document), describeCause(cause))),
        complete: () => onEnd(),
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#webSocket.dispose();
  }
}

/** graphql-ws reports an Error, a list of GraphQL errors, or the event of a closed socket. */
function describeCause(cause: unknown): string {
  if (cause instanceof Error) return cause.message;
  if (Array.isArray(cause)) return cause.map((error: { message: string }) => error.message).join('; ');
  const { code, reason } = cause as { code?: number; reason?: string };
  return `connection closed (${code ?? 'no code'}${reason ? `, ${reason}` : ''})`;
}
