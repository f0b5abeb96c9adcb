import { type AssertionState, runOfSource } from '../openlineage/index.js';
import type { Neighbourhood, RecordBook } from './record-book.js';
import { ASSERTION, RUN, seriesOfAssertions, spanOf } from './record-kinds.js';
import { isRemovedRun } from './removed-runs.js';

/** Later than any event. */
const FOR_EVER = '9999-12-31T23:59:59.999999999Z';

/** Of each of some jobs the latest runs that are there, by the last that is known of them in that job; of one time by their urns. */
export async function latestRuns(
  book: RecordBook,
  jobs: Iterable<string>,
  count: number,
): Promise<ReadonlySet<string>> {
  const latest = new Set<string>();
  let open = count === 0 ? [] : [...new Set(jobs)];
  for (let reach = count; open.length > 0; ) {
    const near = await around(book, open, reach);
    await book.load(near.flatMap((here) => runsIn(here).map(({ run }) => [RUN, run] as const)));
    const told = near.map((here) => ({ here, runs: runsIn(here).filter(({ run }) => isThere(book, run)) }));
    const found = told.map(({ here, runs }) => here.wholeSince === null || runs.length >= count);
    for (const [index, { runs }] of told.entries()) {
      if (found[index]) for (const { run } of runs.slice(0, count)) latest.add(run);
    }
    open = open.filter((_, index) => !found[index]);
    // Many of the last ones are gone, which is rare: they have spoken again after their removal.
    reach *= 4;
  }
  return latest;
}

/** As many of the last runs of each job as are asked for, whether or not they are there; all of them where there are fewer. */
function around(book: RecordBook, jobs: readonly string[], reach: number) {
  return book.around(
    ASSERTION,
    jobs.map((job) => ({
      series: seriesOfAssertions(job),
      ...{ from: FOR_EVER, to: FOR_EVER, since: FOR_EVER },
      isEnough: (here) => here.wholeSince === null || runsIn(here).length >= reach,
    })),
    reach + 1,
  );
}

interface RunInTime {
  readonly run: string;
  readonly last: string;
}

/** Those of which it is sure that none between them is left out, the latest first. */
function runsIn({ values, wholeSince }: Neighbourhood<AssertionState>): readonly RunInTime[] {
  const runs = values.flatMap((assertion): RunInTime[] => {
    const run = runOfSource(assertion.by);
    const last = spanOf(assertion)?.last;
    return run === null || last === undefined || (wholeSince !== null && last <= wholeSince) ? [] : [{ run, last }];
  });
  return runs.sort((a, b) => (a.last === b.last ? (a.run > b.run ? -1 : 1) : a.last > b.last ? -1 : 1));
}

const isThere = (book: RecordBook, run: string): boolean =>
  book.get(RUN, run) !== undefined && !isRemovedRun(book, run);
