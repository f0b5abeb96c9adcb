import type { ErrorCode } from './error-registry.js';

/** Data that travels with an error; everything in it may be shown to the caller, so it never holds a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The one base of expected failures. `code` decides how it is shown; an unknown throw is a bug and is shown as such. */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** One thing that is wrong with an input. */
export interface InputProblem {
  readonly code: Extract<ErrorCode, 'BAD_USER_INPUT' | 'NOT_FOUND' | 'CONFLICT'>;
  /** Dotted path of the value at fault, for instance `input.config.port`. */
  readonly field: string;
  /** States the rule and what to do; never holds the value of a secret. */
  readonly message: string;
  /** Index of the element at fault where the field is a list. */
  readonly elementIndex?: number;
}

/** An input that was refused before anything was written. Everything wrong with it is listed at once. */
export class InputError extends AppError {
  override readonly name = 'InputError';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly [InputProblem, ...InputProblem[]]) {
    super(problems[0].code, problems.map((problem) => `${problem.field} ${problem.message}`).join('; '), {
      details: { problems },
    });
    this.problems = problems;
  }

  static one(code: InputProblem['code'], field: string, message: string): InputError {
    return new InputError([{ code, field, message }]);
  }
}
