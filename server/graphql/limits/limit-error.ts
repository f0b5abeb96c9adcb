import { GraphQLError } from 'graphql';
import { AppError, ERROR_REGISTRY, type ErrorCode } from '#errors';

type LimitCode = Extract<ErrorCode, 'PAYLOAD_TOO_LARGE' | 'QUERY_TOO_COMPLEX' | 'RATE_LIMITED'>;

/** Which limit was passed, its value, and by how much where that is known. */
export interface LimitDetails {
  readonly limit: string;
  readonly value: number;
  /** What the request has; a lower bound where counting stops at the limit. */
  readonly actual: number;
}

/** A request over one of the limits. `details` of the answer tell which one. */
export class LimitError extends AppError {
  override readonly name = 'LimitError';

  constructor(code: LimitCode, { limit, value, actual }: LimitDetails, remedy: string) {
    // Unfolded fragments reach numbers that JSON does not have.
    const shown = Math.min(actual, Number.MAX_SAFE_INTEGER);
    super(code, `${limit} is limited to ${value}, the request has ${shown} or more: ${remedy}`, {
      details: { limit, value, actual: shown },
    });
  }
}

/** As graphql-js and Apollo pass it on; HTTP answers with the status of the code. */
export function asGraphqlError(error: AppError): GraphQLError {
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { http: { status: ERROR_REGISTRY[error.code].status } },
  });
}
