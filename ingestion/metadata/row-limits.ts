import { AppError } from '#errors';

/** Rows of one request or file, in whatever form. */
export const MAX_ROWS = 1_000_000;

/** An input that declares or holds more than a limit; `limit` names it, `value` is its value. */
export function overLimit(what: string, limit: string, value: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', `${what}: at most ${value} are taken (${limit})`, {
    details: { limit, value },
  });
}
