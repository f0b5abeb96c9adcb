import type { JsonObject, UserError } from './schema-types.js';

/** Codes that the server gives, as docs/errors.md explains them; a test holds them against the server's registry. */
export const SERVER_CODES = {
  BAD_USER_INPUT: { retryable: false },
  UNAUTHENTICATED: { retryable: false },
  FORBIDDEN: { retryable: false },
  NOT_FOUND: { retryable: false },
  CONFLICT: { retryable: false },
  PAYLOAD_TOO_LARGE: { retryable: false },
  QUERY_TOO_COMPLEX: { retryable: false },
  RATE_LIMITED: { retryable: true },
  CURSOR_EXPIRED: { retryable: false },
  STORE_UNAVAILABLE: { retryable: true },
  WORKER_UNAVAILABLE: { retryable: true },
  TIMEOUT: { retryable: true },
  STORAGE_FULL: { retryable: true },
  LAGGED: { retryable: true },
  INTERNAL_SERVER_ERROR: { retryable: false },
} as const;

/** Codes that the client gives itself: no answer came, or one that is not Nucleus's. */
export const CLIENT_CODES = {
  UNREACHABLE: { retryable: true },
  BAD_RESPONSE: { retryable: false },
} as const;

const CODES: Readonly<Record<string, { readonly retryable: boolean }>> = { ...SERVER_CODES, ...CLIENT_CODES };

/** A known code, or one that a newer server has. */
export type NucleusErrorCode = keyof typeof SERVER_CODES | keyof typeof CLIENT_CODES | (string & {});

export interface NucleusErrorOptions {
  readonly retryable?: boolean | undefined;
  readonly requestId?: string | undefined;
  readonly details?: JsonObject | undefined;
  readonly cause?: unknown;
}

/** Every failure of a call, aborts aside: those reject with the reason of the caller's own signal. */
export class NucleusError extends Error {
  override readonly name: string = 'NucleusError';
  readonly code: NucleusErrorCode;
  /** Whether the same call may succeed later without change. */
  readonly retryable: boolean;
  /** Under this the server's log holds more. */
  readonly requestId: string | undefined;
  readonly details: JsonObject;

  constructor(code: NucleusErrorCode, message: string, options: NucleusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? CODES[code]?.retryable ?? false;
    this.requestId = options.requestId;
    this.details = options.details ?? {};
  }
}

/** The change log no longer reaches back to the cursor: read the present state, then subscribe from now or from `oldest`. */
export class CursorExpiredError extends NucleusError {
  override readonly name = 'CursorExpiredError';
  /** The oldest cursor that works. */
  readonly oldest: string | undefined;

  constructor(message: string, options: NucleusErrorOptions = {}) {
    super('CURSOR_EXPIRED', message, options);
    this.oldest = typeof options.details?.oldest === 'string' ? options.details.oldest : undefined;
  }
}

/** The server wants a token, or another one. */
export class UnauthenticatedError extends NucleusError {
  override readonly name = 'UnauthenticatedError';

  constructor(message: string, options: NucleusErrorOptions = {}) {
    super('UNAUTHENTICATED', message, options);
  }
}

/** The server refused some items of a write, or with `atomic` all of it. `result` holds what became of each. */
export class WriteRefusedError<Result = unknown> extends NucleusError {
  override readonly name = 'WriteRefusedError';
  readonly userErrors: readonly UserError[];
  readonly result: Result;

  constructor(userErrors: readonly [UserError, ...UserError[]], result: Result) {
    const [first] = userErrors;
    const more = userErrors.length > 1 ? ` (and ${userErrors.length - 1} more, see userErrors)` : '';
    super(first.code, `${first.field === null ? '' : `${first.field}: `}${first.message}${more}`);
    this.userErrors = userErrors;
    this.result = result;
  }
}

/** An error as the server sends it: in `errors` of GraphQL, or in `error` of a plain route. */
export function serverError(sent: { code?: unknown; message?: unknown } & Record<string, unknown>): NucleusError {
  const code = typeof sent.code === 'string' ? sent.code : 'BAD_RESPONSE';
  const message = typeof sent.message === 'string' ? sent.message : 'an error without a message';
  const options: NucleusErrorOptions = {
    retryable: typeof sent.retryable === 'boolean' ? sent.retryable : undefined,
    requestId: typeof sent.requestId === 'string' ? sent.requestId : undefined,
    details: isJsonObject(sent.details) ? sent.details : undefined,
  };
  if (code === 'CURSOR_EXPIRED') return new CursorExpiredError(message, options);
  if (code === 'UNAUTHENTICATED') return new UnauthenticatedError(message, options);
  return new NucleusError(code, message, options);
}

/** An entry of GraphQL's `errors`. */
export function graphqlError(sent: unknown): NucleusError {
  const { message, extensions } = isJsonObject(sent) ? sent : {};
  return serverError({ ...(isJsonObject(extensions) ? extensions : {}), message });
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
