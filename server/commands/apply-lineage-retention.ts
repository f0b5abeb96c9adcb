import { InputError, type InputProblem } from '#errors';
import { type LineageRetention, type RetentionReport, type RetentionRule, readEventTime } from '#ingestion';

/** What the settings say of retention. */
export interface RetentionPolicy {
  /** After its last event; 0 keeps all runs. */
  readonly days: number;
  readonly keepRunsPerJob: number;
}

/** What the command works with. */
export interface ApplyRetentionContext {
  readonly retention: LineageRetention;
  readonly policy: RetentionPolicy;
  readonly actor: string;
  readonly now: () => Date;
  /** How long it goes on before it answers with what is done, in milliseconds. */
  readonly timeMs: number;
}

export interface ApplyRetentionInput {
  readonly olderThan?: string | null;
  readonly keepRunsPerJob?: number | null;
  readonly namespace?: string | null;
  readonly dryRun: boolean;
}

/** The most that may be kept in any case: a step remembers so many of each of its jobs. */
const MOST_RUNS_PER_JOB = 1_000;
const DAY_MS = 86_400_000;

/**
 * Removes what has had its time, by the settings or by what is given instead of them.
 *
 * @throws InputError that lists everything that is wrong with the input
 * @throws AppError STORE_UNAVAILABLE, TIMEOUT
 */
export async function applyLineageRetention(
  { retention, policy, actor, now, timeMs }: ApplyRetentionContext,
  input: ApplyRetentionInput,
): Promise<{ rule: RetentionRule; report: RetentionReport }> {
  const rule = ruleOf(input, policy, now());
  const options = { isDryRun: input.dryRun, signal: AbortSignal.timeout(timeMs) };
  return { rule, report: await retention.apply(rule, options, { actor }) };
}

/** What the policy means at an instant; undefined when it keeps all. */
export function ruleOfPolicy({ days, keepRunsPerJob }: RetentionPolicy, now: Date): RetentionRule | undefined {
  if (days === 0) return undefined;
  const before = readEventTime(new Date(now.getTime() - days * DAY_MS).toISOString());
  // Years before the first hold no events.
  return before === null ? undefined : { before, keepRunsPerJob, namespace: null };
}

function ruleOf(input: ApplyRetentionInput, policy: RetentionPolicy, now: Date): RetentionRule {
  const { keepRunsPerJob, namespace } = input;
  const before = instantOf(input, policy, now);
  const others: InputProblem[] = [];
  if (keepRunsPerJob != null && (keepRunsPerJob < 0 || keepRunsPerJob > MOST_RUNS_PER_JOB)) {
    others.push(problem('keepRunsPerJob', `must be from 0 to ${MOST_RUNS_PER_JOB}, got ${keepRunsPerJob}`));
  }
  if (namespace === '' || /\p{Cs}/u.test(namespace ?? '')) {
    others.push(problem('namespace', 'must be a name of whole characters: leave it out to mean all'));
  }
  if (typeof before !== 'string') throw new InputError([before, ...others]);
  const [first, ...rest] = others;
  if (first !== undefined) throw new InputError([first, ...rest]);
  return { before, keepRunsPerJob: keepRunsPerJob ?? policy.keepRunsPerJob, namespace: namespace ?? null };
}

function instantOf({ olderThan }: ApplyRetentionInput, policy: RetentionPolicy, now: Date) {
  if (olderThan == null) {
    const message = 'must be given, since LINEAGE_RETENTION_DAYS is 0 and keeps all runs';
    return ruleOfPolicy(policy, now)?.before ?? problem('olderThan', message);
  }
  const before = readEventTime(olderThan);
  if (before === null) return problem('olderThan', 'must be an instant of ISO 8601, for instance 2026-01-31T00:00:00Z');
  return before > now.toISOString() ? problem('olderThan', 'must not lie in the future') : before;
}

const problem = (field: string, message: string): InputProblem => ({ code: 'BAD_USER_INPUT', field, message });
