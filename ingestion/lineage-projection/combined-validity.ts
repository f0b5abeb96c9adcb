import { compareMoments, type Interval, type Moment } from '../openlineage/index.js';
import type { EdgeRecord } from './record-kinds.js';

/** One edge between columns as one of those says that make it. */
export interface OwnedEdge extends EdgeRecord {
  readonly owner: string;
}

export interface CombinedEdge {
  readonly intervals: readonly Interval[];
  /** The owner that has claimed it last, and what it says of it. */
  readonly latest: Pick<OwnedEdge, 'owner' | 'note'>;
}

/** Several jobs may make one column out of another: the edge is valid while it is so for any of them. */
export function combinedEdge(owned: readonly OwnedEdge[]): CombinedEdge | null {
  const [latest] = owned
    .flatMap(({ owner, note, intervals }) => intervals.map(({ last }) => ({ owner, note, last })))
    .sort((a, b) => compareMoments(b.last, a.last) || (a.owner < b.owner ? -1 : 1));
  if (latest === undefined) return null;
  return { intervals: unionOf(owned.flatMap(({ intervals }) => intervals)), latest };
}

function unionOf(intervals: readonly Interval[]): readonly Interval[] {
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
