import { randomUUID } from 'node:crypto';
import { ServiceError } from '@temporalio/client';
import { GraphQLError, type GraphQLFormattedError, isValueNode } from 'graphql';
import type { Logger } from 'pino';
import { AppError, ERROR_REGISTRY, type ErrorCode, REQUEST_ERROR_REGISTRY } from '#errors';
import { withoutValues } from './without-values.js';

const REQUEST_CODES: ReadonlySet<string> = new Set(Object.keys(REQUEST_ERROR_REGISTRY));

/**
 * The one form in which errors leave over HTTP and WebSocket. Expected errors show their code and message; anything else
 * is logged with a request id and shown as INTERNAL_SERVER_ERROR with that id only.
 */
export function formatError(error: GraphQLError, logger: Logger): GraphQLFormattedError {
  const place = {
    ...(error.locations && { locations: error.locations }),
    ...(error.path && { path: error.path }),
  };
  const code = error.extensions.code as string | undefined;
  const cause = error.originalError ?? undefined;
  if (isRequestError(error, code)) {
    const message = withoutValues(error.message);
    return { message, ...place, extensions: { code: code ?? 'BAD_USER_INPUT', retryable: false } };
  }
  const expected = asAppError(cause);
  const requestId = randomUUID();
  if (expected === undefined) {
    logger.error({ requestId, err: cause ?? error }, 'unexpected error');
    return {
      message: 'an unexpected fault; the log of the server holds its cause under the request id',
      ...place,
      extensions: { ...describe('INTERNAL_SERVER_ERROR'), requestId },
    };
  }
  if (ERROR_REGISTRY[expected.code].status >= 500) logger.error({ requestId, err: cause }, expected.message);
  return {
    message: expected.message,
    ...place,
    extensions: { ...describe(expected.code), requestId, details: expected.details },
  };
}

/** Errors of parsing, validation and variables have no cause of ours behind them. */
function isRequestError(error: GraphQLError, code: string | undefined): boolean {
  if (code !== undefined && REQUEST_CODES.has(code)) return true;
  const cause = error.originalError ?? undefined;
  if (cause !== undefined && !(cause instanceof GraphQLError)) return false;
  return error.path === undefined || blamesValue(cause);
}

/** A variable may be null where an argument must not, as long as that has a default: only its execution finds out. */
function blamesValue(cause: GraphQLError | undefined): boolean {
  return cause?.nodes?.some(isValueNode) ?? false;
}

function asAppError(cause: unknown): AppError | undefined {
  if (cause instanceof AppError) return cause;
  if (cause instanceof ServiceError && isOutage(cause)) {
    return new AppError('STORE_UNAVAILABLE', 'Temporal does not answer', { details: { store: 'temporal' }, cause });
  }
  return undefined;
}

/** gRPC status codes that tell of an outage: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNAVAILABLE. */
const OUTAGE_STATUSES = new Set([4, 8, 14]);

function isOutage(error: ServiceError): boolean {
  const status = (error.cause as { code?: unknown } | undefined)?.code;
  return typeof status === 'number' && OUTAGE_STATUSES.has(status);
}

function describe(code: ErrorCode): { code: ErrorCode; retryable: boolean } {
  return { code, retryable: ERROR_REGISTRY[code].retryable };
}
