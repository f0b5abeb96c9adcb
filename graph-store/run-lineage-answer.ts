import { InputError } from '#errors';
import { RUN_LINEAGE_START, runLineageHub } from '#graph-schema';
import { continuationsOf, decodeContinuation } from './lineage-continuation.js';
import { reach } from './lineage-reach.js';
import { type BoundedRead, tooLate } from './lineage-session.js';
import { truncationOf } from './lineage-truncation.js';
import { fillsWindow, windowOf } from './lineage-window.js';
import { readRunEdges } from './run-lineage-edges.js';
import { readRunNodes } from './run-lineage-nodes.js';
import { askedByRuns, type CheckedRunWalk, runGroundOf, sideOf } from './run-lineage-request.js';
import type { RunLineage } from './run-lineage-types.js';

/**
 * One part of a walk over runs.
 *
 * @param options.isLate whether the time for finding nodes is over
 * @throws InputError NOT_FOUND, or for a continuation of another walk
 * @throws AppError TIMEOUT when time is over before anything can be told
 */
export async function readRunLineage(
  read: BoundedRead,
  walk: CheckedRunWalk,
  options: { readonly after: string | undefined; readonly isLate: () => boolean },
): Promise<RunLineage> {
  const { maxNodes, deadlineMs } = walk;
  const start = await readStart(read, walk.urn);
  const asked = askedByRuns(walk, start);
  const after = options.after === undefined ? undefined : decodeContinuation(asked, options.after);
  const reached = await reach(read, runGroundOf(walk, start), [start], {
    isFull: (levels) => fillsWindow(levels, after, maxNodes),
    isLate: options.isLate,
  });
  const window = windowOf(reached, after, maxNodes);
  if (reached.stopped === 'deadline' && window.edgesBegin >= window.listed.length) throw tooLate(deadlineMs);
  const { edges, cut } = await readRunEdges(read, walk, window);
  const told = window.listed.slice(window.begin, cut === null ? undefined : cut.place + 1);
  return {
    urn: start,
    nodes: await readRunNodes(read, told),
    edges,
    truncated: await truncationOf({
      ...{ reached, window, cut, told, after, maxNodes },
      next: continuationsOf(asked),
      hubAmong: async ([first, ...others], way) =>
        first === undefined ? [] : read.run(runLineageHub(sideOf(first), way), { urns: [first, ...others] }),
    }),
  };
}

/** @throws InputError NOT_FOUND */
async function readStart(read: BoundedRead, urn: string): Promise<string> {
  const [row] = await read.run<{ starts: string[] }>(RUN_LINEAGE_START, { urn });
  if (row === undefined) {
    throw InputError.one('NOT_FOUND', 'urn', 'names nothing that exists; what was deleted has no runs to tell of');
  }
  const [start] = row.starts;
  if (start === undefined) {
    throw InputError.one('NOT_FOUND', 'urn', 'names a data set of which no version is known: ask lineage for its jobs');
  }
  return start;
}
