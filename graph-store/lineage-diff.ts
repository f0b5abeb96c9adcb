import type { LineageEdgeDetail } from '#graph-schema';
import { readAnswer } from './lineage-answer.js';
import type { CheckedWalk } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';
import type { LineageAnswer, LineageDiff, LineageEdgeEnds, LineageEdgeOf, LineagePart } from './lineage-types.js';

const NOTHING: LineageAnswer<never> = { nodes: [], edges: [], truncated: null };

/**
 * What two walks do not share.
 *
 * @param options of both walks
 * @returns null where the start exists in neither view
 */
export async function readDiff<Detail extends LineageEdgeDetail>(
  read: BoundedRead,
  [from, to]: readonly [CheckedWalk, CheckedWalk],
  { detail, isLate }: { readonly detail: Detail; readonly isLate: () => boolean },
): Promise<LineageDiff<LineageEdgeOf[Detail]> | null> {
  const options = { after: undefined, detail, isLate };
  const before = await readAnswer(read, from, options);
  const after = await readAnswer(read, to, options);
  if (before === null && after === null) return null;
  return diffOf(before ?? NOTHING, after ?? NOTHING);
}

/** Of a walk that was cut nobody can say what it lacks, so what the other one has more is not told then. */
function diffOf<Edge extends LineageEdgeEnds>(
  before: LineageAnswer<Edge>,
  after: LineageAnswer<Edge>,
): LineageDiff<Edge> {
  return {
    added: before.truncated === null ? lackedBy(before, after) : null,
    removed: after.truncated === null ? lackedBy(after, before) : null,
    fromTruncated: before.truncated?.reason ?? null,
    toTruncated: after.truncated?.reason ?? null,
  };
}

function lackedBy<Edge extends LineageEdgeEnds>(
  one: LineageAnswer<Edge>,
  other: LineageAnswer<Edge>,
): LineagePart<Edge> {
  const urns = new Set(one.nodes.map(({ urn }) => urn));
  const keys = new Set(one.edges.map(keyOf));
  return {
    nodes: other.nodes.filter(({ urn }) => !urns.has(urn)),
    edges: other.edges.filter((edge) => !keys.has(keyOf(edge))),
  };
}

/** No urn holds a blank. */
const keyOf = ({ kind, from, to, via }: LineageEdgeEnds): string => [kind, from, to, via ?? ''].join(' ');
