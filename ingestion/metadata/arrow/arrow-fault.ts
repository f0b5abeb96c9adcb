import { AppError, type ErrorDetails } from '#errors';

/** A stream that is no sound Arrow, or that holds what this server does not take. Nothing after the fault is read. */
export function arrowFault(message: string, details: ErrorDetails = {}): AppError {
  return new AppError('BAD_USER_INPUT', `the Arrow stream ${message}`, { details: { field: 'body', ...details } });
}
