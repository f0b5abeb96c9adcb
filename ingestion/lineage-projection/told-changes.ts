import {
  type AssertionState,
  type DatasetState,
  type JobState,
  keyOfUse,
  type LineageState,
  mergeAssertions,
  mergeFaceted,
  mergeRuns,
  mergeUses,
  type UseState,
} from '../openlineage/index.js';
import type { RecordBook, RecordKind } from './record-book.js';
import { ASSERTION, DATASET, JOB, RUN, type RunRecord, USE } from './record-kinds.js';

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
}

/** Reads what is known of the things that events tell of, and remembers what they are now; uses are left to those who link them. */
export async function mergeIntoBook(book: RecordBook, state: LineageState): Promise<ToldChanges> {
  const { jobs, runs, datasets, uses, assertions } = state;
  await book.load([
    ...named(JOB, jobs),
    ...named(RUN, runs),
    ...named(DATASET, datasets),
    ...named(USE, uses),
    ...named(ASSERTION, assertions),
  ]);
  const usesOf = new Map<string, string[]>();
  for (const [key, { run }] of Object.entries(uses)) usesOf.set(run, [...(usesOf.get(run) ?? []), key]);
  return {
    jobs: merged(book, JOB, jobs, mergeFaceted),
    datasets: merged(book, DATASET, datasets, mergeFaceted),
    runs: merged(
      book,
      RUN,
      Object.fromEntries(Object.entries(runs).map(([urn, run]) => [urn, { state: run, uses: usesOf.get(urn) ?? [] }])),
      mergeRunRecords,
    ),
    uses: Object.values(uses).map((use) => {
      const held = book.get(USE, keyOfUse(use));
      return held === undefined ? use : mergeUses(held.use, use);
    }),
    assertions: merged(book, ASSERTION, assertions, mergeAssertions),
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

function mergeRunRecords(a: RunRecord, b: RunRecord): RunRecord {
  return { state: mergeRuns(a.state, b.state), uses: [...new Set([...a.uses, ...b.uses])].sort() };
}
