import { InputError, type InputProblem } from '#errors';

export interface UserError {
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
  readonly elementIndex: number | null;
}

/**
 * Runs a command for a mutation: an input that is refused becomes `userErrors` of the payload. Everything else, such as an
 * outage, goes on as a top-level error.
 */
export async function withUserErrors<Payload extends object>(
  empty: Payload,
  command: () => Promise<Payload>,
): Promise<Payload & { userErrors: UserError[] }> {
  try {
    return { ...(await command()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...empty, userErrors: error.problems.map(asUserError) };
  }
}

/** Runs what knows nothing of the mutation: the fields of its problems become fields of the mutation's `input`. */
export async function underInput<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const [first, ...rest] = error.problems.map((problem) => ({ ...problem, field: `input.${problem.field}` }));
    throw first === undefined ? error : new InputError([first, ...rest]);
  }
}

function asUserError({ code, field, message, elementIndex }: InputProblem): UserError {
  return { code, field, message, elementIndex: elementIndex ?? null };
}
