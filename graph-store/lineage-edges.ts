import neo4j from 'neo4j-driver';
import { type LineageEdgeDetail, type LineageLevel, lineageEdges } from '#graph-schema';
import type { CheckedWalk } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';
import type { LineageEdge, LineageEdgeEnds, LineageEdgeOf } from './lineage-types.js';
import { edgeFromLegs, edgeFromRuns } from './lineage-validity.js';
import { type EdgeKey, type LineagePlace, NO_EDGE, type Window } from './lineage-window.js';

/** An edge as the statements return it. */
export interface RawEdge {
  readonly from: string;
  readonly to: string;
  /** Empty where there is none. */
  readonly via: string;
  readonly legs: readonly string[];
}

/** What stands at its place in the order of the edges of a walk. */
export interface Placed {
  readonly from: string;
  readonly to: string;
  /** Empty where there is none. */
  readonly via: string;
  /** The place of the end that is listed later. */
  readonly later: number;
}

type PlacedEdge = RawEdge & Placed;

/** Where the edges of a window end early. */
export interface EdgeCut {
  /** Place of the node whose edges are not all told. */
  readonly place: number;
  readonly edge: LineagePlace['edge'];
}

export interface WindowEdges<Edge> {
  readonly edges: readonly Edge[];
  readonly cut: EdgeCut | null;
}

/**
 * How much has to be read of edges to tell something of them. Which runs come first and last is plain only where all intervals count: a
 * deletion takes away those that begin later, and the halves of `PASSES` have no runs in common.
 */
export function detailToRead({ level, view }: CheckedWalk, detail: LineageEdgeDetail): LineageEdgeDetail {
  if (detail !== 'RUNS') return detail;
  if (level === 'JOB') return 'ENDS';
  return view.name === 'CURRENT' ? 'RUNS' : 'WHOLE';
}

/** The edges of a window, from Neo4j. */
export async function readEdges<Detail extends LineageEdgeDetail>(
  read: BoundedRead,
  walk: CheckedWalk,
  window: Window,
  detail: Detail,
): Promise<WindowEdges<LineageEdgeOf[Detail]>> {
  const { edgesBegin } = window;
  if (edgesBegin >= window.listed.length) return { edges: [], cut: null };
  const [way = 'DOWNSTREAM'] = walk.ways;
  const { level, view } = walk;
  const told = { level, view: view.name, detail: detailToRead(walk, detail) };
  const statement = lineageEdges({ ...told, way, hasEarlier: edgesBegin > 0 });
  const parameters = { ...walk.view.parameters, ...parametersOfEdges(window, walk.maxEdges) };
  return cutEdges(walk, await read.run<PlacedEdge>(statement, parameters), detail);
}

/** Parameters of a statement that gives the edges of a window, and one more than may be told if there are so many. */
export function parametersOfEdges(window: Window, maxEdges: number): Readonly<Record<string, unknown>> {
  const { listed, edgesBegin, afterEdge } = window;
  const [afterFrom, afterTo, afterVia] = afterEdge;
  return {
    urns: listed.slice(edgesBegin).map(({ urn }) => urn),
    ...{ afterFrom, afterTo, afterVia, afterPlace: edgesBegin, first: edgesBegin },
    places: Object.fromEntries(placesOf(window)),
    limit: neo4j.int(maxEdges + 1),
  };
}

/** The edges of the first window of a walk all of whose edges are known. */
export function edgesWithin<Detail extends LineageEdgeDetail>(
  walk: CheckedWalk,
  window: Window,
  edges: readonly RawEdge[],
  detail: Detail,
): WindowEdges<LineageEdgeOf[Detail]> {
  const places = placesOf(window);
  const placed: PlacedEdge[] = [];
  for (const { from, to, via, legs } of edges) {
    const [fromPlace, toPlace] = [places.get(from), places.get(to)];
    if (fromPlace === undefined || toPlace === undefined) continue;
    placed.push({ from, to, via, legs, later: Math.max(fromPlace, toPlace) });
  }
  return cutEdges(walk, placed.sort(compare), detail);
}

const placesOf = ({ listed }: Window) => new Map(listed.map(({ urn }, place) => [urn, place]));

const keyOf = ({ from, to, via }: Placed): EdgeKey => [from, to, via];

/** The order of `lineageEdges`. Urns are ASCII, so that text has one order in Neo4j and here. */
function compare(a: PlacedEdge, b: PlacedEdge): number {
  if (a.later !== b.later) return a.later - b.later;
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  if (a.to !== b.to) return a.to < b.to ? -1 : 1;
  return a.via < b.via ? -1 : 1;
}

function cutEdges<Detail extends LineageEdgeDetail>(
  walk: CheckedWalk,
  rows: readonly PlacedEdge[],
  detail: Detail,
): WindowEdges<LineageEdgeOf[Detail]> {
  const { told, cut } = cutRows(rows, walk.maxEdges);
  const edgeOf = detailToRead(walk, detail) === 'WHOLE' ? edgeFromLegs : edgeOfDetail[detail];
  const edges = told.map((row) => edgeOf(endsOfRow(walk.level, row), row.legs));
  return { edges: edges as LineageEdgeOf[Detail][], cut };
}

const edgeOfDetail: Readonly<
  Record<LineageEdgeDetail, (ends: LineageEdgeEnds, legs: readonly string[]) => LineageEdgeEnds>
> = {
  ENDS: (ends) => ends,
  RUNS: (ends, [leg]) => edgeFromRuns(ends, leg),
  WHOLE: edgeFromLegs,
};

/** @param rows in order, and one more than may be told if there are so many */
export function cutRows<Row extends Placed>(
  rows: readonly Row[],
  maxEdges: number,
): { readonly told: readonly Row[]; readonly cut: EdgeCut | null } {
  const told = rows.slice(0, maxEdges);
  const dropped = rows[maxEdges];
  if (dropped === undefined) return { told, cut: null };
  const last = told.at(-1);
  return { told, cut: { place: dropped.later, edge: last?.later === dropped.later ? keyOf(last) : NO_EDGE } };
}

/** An edge as it is told, of one as the statements return it. */
export function endsOfRow(
  level: LineageLevel,
  { from, to, via }: Pick<RawEdge, 'from' | 'to' | 'via'>,
): LineageEdgeEnds {
  return { kind: kindOfEdge(level, from), from, to, via: via === '' ? null : via };
}

/** The kind of its first end tells the kind of a stored edge. */
function kindOfEdge(level: LineageLevel, from: string): LineageEdge['kind'] {
  if (level === 'JOB') return 'PASSES';
  if (level === 'FIELD') return 'DERIVES';
  return from.startsWith('nucleus:job:') ? 'PRODUCES' : 'FEEDS';
}
