import type { Change, LineageDirection } from '#graph-store';
import { encodeEventCursor } from '../../server/events/event-cursor.js';

export interface WatchedCone {
  readonly urn: string;
  readonly direction: LineageDirection;
  readonly depth: number | null;
}

/** `cursor operation kind urn to`, as subscribers are told it. */
export type ToldItem = string;

/**
 * What `lineageChanges` promises to tell of a log that begins with an empty graph: each change is looked at with the edges that
 * have appeared by then.
 */
export function toldByLog(changes: readonly Change[], cone: WatchedCone): ToldItem[] {
  const edges: { readonly from: string; readonly to: string }[] = [];
  const jobs: { readonly job: string; readonly run: string }[] = [];
  return changes.flatMap(({ sequence, items }) => {
    for (const { operation, kind, urn, to } of items) {
      if (operation !== 'created' || to === undefined) continue;
      if (kind === 'HAS_RUN') jobs.push({ job: urn, run: to });
      else edges.push({ from: urn, to });
    }
    const members = membersOf(cone, edges);
    return items
      .filter(({ kind, urn, to, after }) => {
        if (kind === 'Run') return 'state' in after && jobs.some(({ job, run }) => run === urn && members.has(job));
        if (to === undefined) return members.has(urn);
        return kind !== 'HAS_RUN' && members.has(urn) && members.has(to);
      })
      .map(({ operation, kind, urn, to }) =>
        [encodeEventCursor(sequence), operation.toUpperCase(), kind, urn, to ?? null].join(' '),
      );
  });
}

function membersOf(
  { urn, direction, depth }: WatchedCone,
  edges: readonly { readonly from: string; readonly to: string }[],
): ReadonlySet<string> {
  const members = new Set([urn]);
  for (const way of ['UPSTREAM', 'DOWNSTREAM'] as const) {
    if (direction !== 'BOTH' && direction !== way) continue;
    const steps = new Map([[urn, 0]]);
    for (const [near, step] of steps) {
      members.add(near);
      if (depth !== null && step >= 2 * depth) continue;
      for (const { from, to } of edges) {
        const [own, far] = way === 'DOWNSTREAM' ? [from, to] : [to, from];
        if (own === near && !steps.has(far)) steps.set(far, step + 1);
      }
    }
  }
  return members;
}
