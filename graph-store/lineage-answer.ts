import { type LineageEdgeDetail, lineageHub, lineageStart } from '#graph-schema';
import { askedBy, continuationsOf } from './lineage-continuation.js';
import { edgesWithin, readEdges } from './lineage-edges.js';
import { readNear } from './lineage-near.js';
import { nodesFromRows, readNodes } from './lineage-nodes.js';
import { groundOf, type Reach, reach } from './lineage-reach.js';
import type { CheckedWalk } from './lineage-request.js';
import { type BoundedRead, tooLate } from './lineage-session.js';
import { truncationOf } from './lineage-truncation.js';
import type { LineageAnswer, LineageEdgeOf } from './lineage-types.js';
import { fillsWindow, type LineagePlace, type ListedNode, windowOf } from './lineage-window.js';

export interface AnswerOptions<Detail> {
  readonly after: LineagePlace | undefined;
  /** How much is told of edges; null for an answer without them. */
  readonly detail: Detail | null;
  /** Whether the time for finding nodes is over. */
  readonly isLate: () => boolean;
}

/** An answer with the places of its nodes. */
export interface PlacedAnswer<Edge> extends LineageAnswer<Edge> {
  readonly told: readonly ListedNode[];
}

/**
 * One part of a walk.
 *
 * @returns null where the urn names nothing in the view
 * @throws AppError TIMEOUT when time is over before anything can be told
 */
export async function readAnswer<Detail extends LineageEdgeDetail>(
  read: BoundedRead,
  walk: CheckedWalk,
  { after, detail, isLate }: AnswerOptions<Detail>,
): Promise<PlacedAnswer<LineageEdgeOf[Detail]> | null> {
  // Whoever goes on has met more nodes than fit; a data set whose columns are asked for has many starts.
  const near = after === undefined && isSingleStart(walk) ? await readNear(read, walk, detail ?? 'ENDS') : undefined;
  if (near === null) return null;
  const reached = near?.reached ?? (await readReach(read, walk, after, isLate));
  if (reached === null) return null;
  const window = windowOf(reached, after, walk.maxNodes);
  if (reached.stopped === 'deadline' && window.edgesBegin >= window.listed.length) throw tooLate(walk.deadlineMs);
  const { edges, cut } =
    detail === null
      ? { edges: [], cut: null }
      : near === undefined
        ? await readEdges(read, walk, window, detail)
        : edgesWithin(walk, window, near.edges, detail);
  const told = window.listed.slice(window.begin, cut === null ? undefined : cut.place + 1);
  return {
    told,
    nodes: nodesFromRows(walk, told, near?.nodes ?? (await readNodes(read, told))),
    edges,
    truncated: await truncationOf({
      ...{ reached, window, cut, told, after, maxNodes: walk.maxNodes },
      next: continuationsOf(askedBy(walk)),
      hubAmong: (urns, way) => read.run(lineageHub(walk.level, way), { urns }),
    }),
  };
}

const isSingleStart = ({ level, urn }: CheckedWalk): boolean => level !== 'FIELD' || urn.startsWith('nucleus:field:');

async function readReach(
  read: BoundedRead,
  walk: CheckedWalk,
  after: LineagePlace | undefined,
  isLate: () => boolean,
): Promise<Reach | null> {
  const starts = await readStarts(read, walk);
  if (starts === null) return null;
  return reach(read, groundOf(walk), starts, { isFull: (levels) => fillsWindow(levels, after, walk.maxNodes), isLate });
}

/** Where a walk begins. Null where the urn names nothing in the view. */
export async function readStarts(
  read: BoundedRead,
  { urn, level, view }: Pick<CheckedWalk, 'urn' | 'level' | 'view'>,
): Promise<readonly string[] | null> {
  const [row] = await read.run<{ starts: string[] }>(lineageStart(level, view.name), { ...view.parameters, urn });
  return row?.starts ?? null;
}
