import { InputError } from '#errors';
import { LINEAGE_RUN, parseUrn, UrnSyntaxError } from '#graph-schema';
import type { BoundedRead } from './lineage-session.js';
import { sortableInstant } from './lineage-validity.js';

interface RunRow {
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** @throws InputError naming `asOfRun` */
export async function readMomentOfRun(read: BoundedRead, urn: string): Promise<string> {
  const [row] = await read.run<RunRow>(LINEAGE_RUN, { urn });
  if (row === undefined) throw InputError.one('NOT_FOUND', 'asOfRun', 'names no run');
  const told = row.endedAt ?? row.startedAt;
  if (told === null) {
    throw InputError.one('BAD_USER_INPUT', 'asOfRun', 'names a run of which neither start nor end is known: give `at`');
  }
  return endOfMillisecond(sortableInstant(told, 'asOfRun'));
}

/** Times of runs are cut to milliseconds, those of lineage are not: events of the run itself would lie after it. */
function endOfMillisecond(instant: string): string {
  return instant.replace(/000000Z$/, '999999Z');
}

/** @throws InputError for a text that is no urn of a run */
export function checkRunUrn(urn: string): void {
  try {
    if (parseUrn(urn).kind === 'run') return;
  } catch (error) {
    if (!(error instanceof UrnSyntaxError)) throw error;
  }
  throw InputError.one('BAD_USER_INPUT', 'asOfRun', 'must be the urn of a run, nucleus:run:…');
}
