export const STACK_ERROR_CODES = [
  'CHILD_EXITED',
  'NOT_READY',
  'ABORTED',
  'MISSING_BINARY',
  'FOLDER_UNREACHABLE',
  'WRONG_PASSWORD',
  'NO_FREE_PORT',
] as const;
export type StackErrorCode = (typeof STACK_ERROR_CODES)[number];

/** What went wrong, and what to do, while a server or one of our own processes was started. */
export class StackError extends Error {
  readonly code: StackErrorCode;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(
    code: StackErrorCode,
    message: string,
    details: Record<string, string | number> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StackError';
    this.code = code;
    this.details = details;
  }
}
