import {
  type AssertionState,
  type DatasetState,
  type EditState,
  isRolledBack,
  type JobState,
  keyOfAssertion,
  keyOfUse,
  type LineageState,
  mergeAssertions,
  mergeFaceted,
  mergeRuns,
  mergeUses,
  runOfSource,
  type UseState,
} from '../openlineage/index.js';
import type { RecordBook, RecordKind } from './record-book.js';
import { ASSERTION, DATASET, JOB, RUN, type RunRecord, USE } from './record-kinds.js';
import { removedRun } from './removed-runs.js';

/** A thing that events tell of, before them and after them. */
export interface Told<T> {
  /** Null when nothing was known of it. */
  readonly before: T | null;
  readonly after: T;
}

/** All that events tell of, merged with what is known. */
export interface ToldChanges {
  readonly jobs: readonly Told<JobState>[];
  readonly datasets: readonly Told<DatasetState>[];
  readonly runs: readonly Told<RunRecord>[];
  readonly uses: readonly UseState[];
  readonly assertions: readonly Told<AssertionState>[];
  readonly edits: readonly EditState[];
}

/**
 * Reads what is known of the things that events tell of, and remembers what they are now; uses and edits are left to those who link
 * and draw them.
 */
export async function mergeIntoBook(book: RecordBook, state: LineageState): Promise<ToldChanges> {
  const { jobs, runs, datasets, uses, assertions, edits } = state;
  await book.load([
    ...named(JOB, jobs),
    ...named(RUN, runs),
    ...named(DATASET, datasets),
    ...named(USE, uses),
    ...named(ASSERTION, assertions),
  ]);
  const usesOf = new Map<string, string[]>();
  for (const [key, { run }] of Object.entries(uses)) usesOf.set(run, [...(usesOf.get(run) ?? []), key]);
  const toldRuns = merged(
    book,
    RUN,
    Object.fromEntries(Object.entries(runs).map(([urn, run]) => [urn, { state: run, uses: usesOf.get(urn) ?? [] }])),
    mergeRunRecords,
  );
  return {
    jobs: merged(book, JOB, jobs, mergeFaceted),
    datasets: merged(book, DATASET, datasets, mergeFaceted),
    runs: toldRuns,
    uses: Object.values(uses).map((use) => {
      const held = book.get(USE, keyOfUse(use));
      return held === undefined ? use : mergeUses(held.use, use);
    }),
    assertions: await mergedAssertions(book, assertions, toldRuns),
    edits: Object.values(edits),
  };
}

function named<T>(kind: RecordKind<T>, things: Readonly<Record<string, unknown>>) {
  return Object.keys(things).map((key) => [kind, key] as const);
}

function merged<T>(
  book: RecordBook,
  kind: RecordKind<T>,
  told: Readonly<Record<string, T>>,
  merge: (a: T, b: T) => T,
): Told<T>[] {
  return Object.entries(told).map(([key, state]) => {
    const before = book.get(kind, key) ?? null;
    const after = before === null ? state : merge(before, state);
    book.put(kind, key, after);
    return { before, after };
  });
}

/** What is told, and what the runs have said that were rolled back or restored: it counts no more, or does so again. */
async function mergedAssertions(
  book: RecordBook,
  told: LineageState['assertions'],
  runs: readonly Told<RunRecord>[],
): Promise<Told<AssertionState>[]> {
  const turned = runs
    .filter(({ before, after }) => isCounted(before) !== isCounted(after))
    .flatMap(({ after: { state } }) => state.jobs.map((owner) => keyOfAssertion({ owner, by: state.urn })));
  await book.load(turned.map((key) => [ASSERTION, key] as const));
  return [...new Set([...Object.keys(told), ...turned])].flatMap((key) => {
    const before = book.get(ASSERTION, key) ?? null;
    const coming = told[key];
    const all = before !== null && coming !== undefined ? mergeAssertions(before, coming) : (coming ?? before);
    if (all === null) return [];
    const run = runOfSource(all.by);
    const after = { ...all, isRolledBack: run !== null && !isCounted(book.get(RUN, run) ?? null) };
    book.put(ASSERTION, key, after);
    return [{ before, after }];
  });
}

const isCounted = (run: RunRecord | null): boolean => run === null || !isRolledBack(run.state);

function mergeRunRecords(held: RunRecord, told: RunRecord): RunRecord {
  const state = mergeRuns(held.state, told.state);
  const run = { state, uses: [...new Set([...held.uses, ...told.uses])].sort() };
  return held.isRemoved === true ? removedRun(run) : run;
}
