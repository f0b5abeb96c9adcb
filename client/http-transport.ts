import { graphqlError, isJsonObject, NucleusError, serverError, UnauthenticatedError } from './nucleus-error.js';
import type { JsonObject } from './schema-types.js';

/** A token, or what gives the present one, for tokens that are renewed. */
export type TokenSource = string | (() => string | Promise<string>);

export type Fetch = (url: string, init: RequestInit & { duplex?: 'half' }) => Promise<Response>;

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: BodyInit | undefined;
  readonly signal: AbortSignal;
}

/** Sends requests to one server and turns every kind of failure into a NucleusError. */
export class HttpTransport {
  readonly #base: URL;
  readonly #token: TokenSource | undefined;
  readonly #fetch: Fetch;

  constructor(options: { base: URL; token: TokenSource | undefined; fetch: Fetch }) {
    this.#base = options.base;
    this.#token = options.token;
    this.#fetch = options.fetch;
  }

  /** One GraphQL operation, without retries. */
  async graphql(
    body: { query: string; variables: JsonObject },
    options: { signal: AbortSignal; readAfter?: string | undefined },
  ): Promise<unknown> {
    const { status, headers, json } = await this.request('graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...(options.readAfter !== undefined && { 'nucleus-read-after': options.readAfter }),
      },
      body: JSON.stringify(body),
      signal: options.signal,
    });
    const errors = isJsonObject(json) ? json.errors : undefined;
    if (Array.isArray(errors) && errors.length > 0) throw withRetryAfter(graphqlError(errors[0]), headers);
    if (!isJsonObject(json) || json.data === undefined || json.data === null) throw notNucleus(status, headers, json);
    return json.data;
  }

  /** Any other route. @throws NucleusError unless the status is 2xx and the body JSON */
  async json(path: string, request: HttpRequest): Promise<unknown> {
    const { status, headers, json } = await this.request(path, request);
    if (status < 200 || status > 299 || json === undefined) throw notNucleus(status, headers, json);
    return json;
  }

  /** The bare answer. @throws NucleusError UNREACHABLE when there is none */
  async request(path: string, request: HttpRequest): Promise<{ status: number; headers: Headers; json: unknown }> {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    const url = new URL(path, this.#base);
    try {
      const response = await this.#fetch(url.href, {
        method: request.method ?? 'GET',
        headers: { ...request.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        ...(request.body !== undefined && { body: request.body }),
        ...(request.body instanceof ReadableStream && { duplex: 'half' }),
        signal: request.signal,
        // A redirected POST becomes a GET, and the token would go to a place that the user has not named.
        redirect: 'manual',
      });
      return { status: response.status, headers: response.headers, json: parsed(await response.text()) };
    } catch (error) {
      if (request.signal.aborted) throw error;
      throw new NucleusError('UNREACHABLE', `no answer from ${url.origin}: ${reasonOf(error)}`, { cause: error });
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says "fetch failed" and hides why in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}

/** An answer that is an error of a plain route, or not one of Nucleus at all, for instance of a proxy in between. */
function notNucleus(status: number, headers: Headers, json: unknown): NucleusError {
  const sent = isJsonObject(json) ? json.error : undefined;
  if (isJsonObject(sent) && typeof sent.code === 'string') return withRetryAfter(serverError(sent), headers);
  const details = { status };
  if (status === 401) return new UnauthenticatedError('the server wants another token (HTTP 401)', { details });
  if (status === 403) return new NucleusError('FORBIDDEN', 'the server refuses this caller (HTTP 403)', { details });
  if (status === 413) return new NucleusError('PAYLOAD_TOO_LARGE', 'the request is too large (HTTP 413)', { details });
  if (status === 429)
    return withRetryAfter(new NucleusError('RATE_LIMITED', 'too many requests', { details }), headers);
  if (status >= 502 && status <= 504) {
    const gone = new NucleusError('UNREACHABLE', `nothing answers behind the proxy (HTTP ${status})`, { details });
    return withRetryAfter(gone, headers);
  }
  const location = headers.get('location');
  const hint = location === null ? 'check the address' : `it redirects to ${location}: use that address`;
  return new NucleusError('BAD_RESPONSE', `the answer is not one of Nucleus (HTTP ${status}): ${hint}`, { details });
}

function withRetryAfter(error: NucleusError, headers: Headers): NucleusError {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  if (!error.retryable || !Number.isFinite(seconds)) return error;
  const { code, message, requestId, retryable, details } = error;
  return new NucleusError(code, message, {
    requestId,
    retryable,
    details: { ...details, retryAfterMs: Math.max(0, seconds * 1000) },
  });
}
