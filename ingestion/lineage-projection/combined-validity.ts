import { compareMoments, type EditWord, type Interval, type Moment } from '../openlineage/index.js';

/** One edge between columns as one of those says that make it. */
export interface OwnedEdge {
  readonly owner: string;
  readonly intervals: readonly Interval[];
  /** What the latest claim of an event says of it, as JSON. */
  readonly note: string | null;
  /** What was done to it by hand last. */
  readonly edit: EditWord | null;
}

export interface CombinedEdge {
  readonly intervals: readonly Interval[];
  /** The owner that has claimed it last, and what it says of it. */
  readonly latest: Pick<OwnedEdge, 'owner' | 'note'>;
}

/** What was done last by hand to an edge that several jobs may make. */
export function latestEditOf(owned: readonly OwnedEdge[]): EditWord | null {
  const edits = owned.flatMap(({ owner, edit }) => (edit === null ? [] : [{ owner, edit }]));
  const [latest] = edits.sort((a, b) => order(b.edit.at, a.edit.at) || order(a.owner, b.owner));
  return latest?.edit ?? null;
}

/** Several jobs may make one column out of another: the edge is valid while it is so for any of them. */
export function combinedEdge(owned: readonly OwnedEdge[]): CombinedEdge | null {
  const [latest] = owned
    .flatMap(({ owner, note, intervals }) => intervals.map(({ last }) => ({ owner, note, last })))
    .sort((a, b) => compareMoments(b.last, a.last) || order(a.owner, b.owner));
  if (latest === undefined) return null;
  return { intervals: unionOf(owned.flatMap(({ intervals }) => intervals)), latest };
}

const order = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** The times when any of the intervals is valid. */
export function unionOf(intervals: readonly Interval[]): readonly Interval[] {
  const union: Interval[] = [];
  for (const interval of [...intervals].sort((a, b) => compareMoments(a.first, b.first))) {
    const open = union.at(-1);
    if (open === undefined || (open.closed !== null && compareMoments(open.closed, interval.first) < 0)) {
      union.push(interval);
      continue;
    }
    union[union.length - 1] = {
      first: open.first,
      last: later(open.last, interval.last),
      closed: open.closed === null || interval.closed === null ? null : later(open.closed, interval.closed),
    };
  }
  return union;
}

const later = (a: Moment, b: Moment): Moment => (compareMoments(a, b) >= 0 ? a : b);
