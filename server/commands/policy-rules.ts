import type { InputProblem } from '#errors';
import { policySchema } from '#ingestion/contracts';

/** What the policy rules look at of a unit. */
interface UnitWithPolicy {
  readonly mode: 'full' | 'incremental';
  readonly cursorField: string | null;
  readonly primaryKey: readonly string[];
  readonly policy: Readonly<Record<string, unknown>>;
}

/** What is wrong with a policy in itself and with the unit; its sinks are asked by `mergeReason`. */
export function policyProblems({ mode, cursorField, primaryKey, policy }: UnitWithPolicy): InputProblem[] {
  const parsed = policySchema.partial().safeParse(policy);
  const problem = (path: string, message: string): InputProblem => ({
    ...{ code: 'BAD_USER_INPUT', field: `input.policy${path}`, message },
  });
  if (!parsed.success) {
    return parsed.error.issues.map((issue) => {
      const path = [...issue.path, ...('keys' in issue ? issue.keys.slice(0, 1) : [])];
      return problem(path.map((name) => `.${String(name)}`).join(''), issue.message);
    });
  }
  const { tieBreakField, deleteField } = parsed.data;
  const problems: InputProblem[] = [];
  if (tieBreakField && mode === 'full') {
    problems.push(problem('.tieBreakField', 'has no meaning for a full unit: it orders rows of one cursor value'));
  }
  if (tieBreakField && tieBreakField === cursorField) {
    problems.push(
      problem('.tieBreakField', 'must be another column than cursorField: it tells its equal values apart'),
    );
  }
  if (deleteField && (primaryKey.includes(deleteField) || deleteField === cursorField)) {
    problems.push(problem('.deleteField', 'must be neither a column of primaryKey nor cursorField'));
  }
  return problems;
}

/** Why a policy needs sinks that merge; undefined when it does not, or when it is none. */
export function mergeReason(policy: Readonly<Record<string, unknown>>): string | undefined {
  const parsed = policySchema.partial().safeParse(policy).data;
  if (parsed?.lookbackSeconds) return 'must be MERGE when policy.lookbackSeconds is set: such rows are delivered again';
  if (parsed?.nullCursor === 'include') {
    return 'must be MERGE when policy.nullCursor is "include": such rows are delivered by every run';
  }
  if (parsed?.deleteField)
    return 'must be MERGE when policy.deleteField is set: a row is found by its key to be removed';
  return undefined;
}
