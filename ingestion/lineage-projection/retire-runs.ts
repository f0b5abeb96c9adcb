import type { LineageHoldings, SeriesPlace } from '#graph-store';
import { type EventTime, later } from '../openlineage/index.js';
import { latestRuns } from './latest-runs.js';
import { RecordBook } from './record-book.js';
import { RUN, type RunRecord, SERIES_OF_RUNS, USE, VERSION } from './record-kinds.js';
import { removedOutput, removedRun } from './removed-runs.js';
import { isMeant, type RetentionRule } from './retention-rule.js';
import type { RetentionStep } from './retention-step.js';

/** Runs that one step looks at, and inputs and outputs of theirs, unless a single run has more. */
const MOST_RUNS = 100;
const MOST_USES = 2_000;

/**
 * One step through the old runs, the oldest first. What they have asserted stays, so that lineage is what it would be without
 * retention, and so does which versions they have written, since what others have read follows from it.
 */
export async function retireRuns(
  holdings: LineageHoldings,
  rule: RetentionRule,
  after: SeriesPlace | null,
): Promise<RetentionStep<SeriesPlace>> {
  const book = new RecordBook(holdings);
  const { runs, next } = await oldRuns(book, holdings, { rule, after });
  const meant = runs.filter((run) => isMeant(rule, run));
  await book.load(meant.flatMap(({ uses }) => uses.map((key) => [USE, key] as const)));
  const own = await holdings.ownRuns(meant.map(urnOf));
  const latest = await latestRuns(
    book,
    meant.flatMap(({ state }) => state.jobs),
    rule.keepRunsPerJob,
  );
  const writers = await lastWriters(book, holdings, meant);
  const retired = meant.filter((run) => [own, latest, writers].every((kept) => !kept.has(urnOf(run))));
  await forget(book, retired);
  const urns = retired.map(urnOf);
  // The links go with the runs; they are deleted before, so that the change log tells of which jobs the runs were.
  const links = retired.flatMap(({ state }) => state.jobs.map((from) => ({ from, to: state.urn })));
  const batch = {
    edgeDeletions: links.map((link) => ({ kind: 'HAS_RUN' as const, ...link })),
    purges: urns.map((urn) => ({ urn })),
  };
  return { write: { records: book.changed(), removed: book.removed(), batch }, retired: urns, next };
}

const urnOf = ({ state }: RunRecord): string => state.urn;

async function oldRuns(
  book: RecordBook,
  holdings: LineageHoldings,
  { rule, after }: { readonly rule: RetentionRule; readonly after: SeriesPlace | null },
): Promise<{ runs: readonly RunRecord[]; next: SeriesPlace | null }> {
  const page = await holdings.old(SERIES_OF_RUNS, { before: rule.before, after, limit: MOST_RUNS });
  const runs = book.hold(RUN, page);
  let uses = 0;
  const past = runs.findIndex((run, index) => {
    uses += run.uses.length;
    return index > 0 && uses > MOST_USES;
  });
  const taken = past === -1 ? runs.length : past;
  const last = page[taken - 1];
  const isLast = taken === page.length && page.length < MOST_RUNS;
  const next = isLast || last === undefined || last.place === null ? null : { time: last.place.first, key: last.key };
  return { runs: runs.slice(0, taken), next };
}

/** Of the versions that some runs have written and that are the latest of their data set, who has written them last. */
async function lastWriters(
  book: RecordBook,
  holdings: LineageHoldings,
  runs: readonly RunRecord[],
): Promise<ReadonlySet<string>> {
  const outputs = runs.flatMap(({ uses }) => uses.flatMap((key) => book.get(USE, key) ?? []));
  const written = outputs.flatMap(({ use, version }) => (use.side === 'output' && version !== null ? [version] : []));
  const newest = await holdings.newestVersions([...new Set(written)]);
  await book.load([...newest].map((version) => [VERSION, version] as const));
  return new Set([...newest].flatMap((version) => lastWriter(book, version) ?? []));
}

function lastWriter(book: RecordBook, version: string): string | undefined {
  const writers = Object.entries(book.get(VERSION, version)?.writers ?? {});
  const last = writers.reduce<EventTime | null>((latest, [, { writtenAt }]) => later(latest, writtenAt), null);
  const [use] = writers
    .filter(([, { writtenAt }]) => writtenAt === last)
    .map(([key]) => key)
    .sort()
    .reverse();
  // Keys of uses begin with the urn of the run.
  return use?.split(' ')[0];
}

async function forget(book: RecordBook, runs: readonly RunRecord[]): Promise<void> {
  const uses = runs.flatMap((run) => run.uses.flatMap((key) => ({ key, record: book.get(USE, key) })));
  const named = uses.flatMap(({ record }) => record?.named ?? []);
  await book.load(named.map((version) => [VERSION, version] as const));
  for (const { key, record } of uses) {
    if (record === undefined) continue;
    if (record.use.side === 'input') book.remove(USE, key);
    else book.put(USE, key, { ...record, use: removedOutput(record.use), isRemoved: true });
  }
  for (const version of named) {
    const held = book.get(VERSION, version);
    if (held !== undefined) book.put(VERSION, version, { ...held, namedReaders: held.namedReaders - 1 });
  }
  for (const run of runs) book.put(RUN, urnOf(run), removedRun(run));
}
