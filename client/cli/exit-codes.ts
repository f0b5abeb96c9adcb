import { NucleusError } from '../nucleus-error.js';

/** What the exit code of `nucleus` says; docs/client.md lists them. */
export const EXIT_CODES = {
  ok: 0,
  internal: 1,
  badInput: 2,
  notFound: 3,
  conflict: 4,
  denied: 5,
  unavailable: 6,
  cursorExpired: 7,
  interrupted: 130,
} as const;

const BY_ERROR_CODE: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: EXIT_CODES.badInput,
  PAYLOAD_TOO_LARGE: EXIT_CODES.badInput,
  QUERY_TOO_COMPLEX: EXIT_CODES.badInput,
  NOT_FOUND: EXIT_CODES.notFound,
  CONFLICT: EXIT_CODES.conflict,
  UNAUTHENTICATED: EXIT_CODES.denied,
  FORBIDDEN: EXIT_CODES.denied,
  RATE_LIMITED: EXIT_CODES.unavailable,
  LAGGED: EXIT_CODES.unavailable,
  STORE_UNAVAILABLE: EXIT_CODES.unavailable,
  WORKER_UNAVAILABLE: EXIT_CODES.unavailable,
  TIMEOUT: EXIT_CODES.unavailable,
  STORAGE_FULL: EXIT_CODES.unavailable,
  UNREACHABLE: EXIT_CODES.unavailable,
  CURSOR_EXPIRED: EXIT_CODES.cursorExpired,
};

/** An argument or a file that the command cannot work with. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function exitCodeOfCode(code: string): number {
  return BY_ERROR_CODE[code] ?? EXIT_CODES.internal;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_CODES.badInput;
  return error instanceof NucleusError ? exitCodeOfCode(error.code) : EXIT_CODES.internal;
}
