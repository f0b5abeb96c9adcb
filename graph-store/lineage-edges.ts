import neo4j from 'neo4j-driver';
import { type LineageLevel, lineageEdges } from '#graph-schema';
import type { CheckedWalk } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';
import type { LineageEdge } from './lineage-types.js';
import { edgeFromLegs } from './lineage-validity.js';
import { type EdgeKey, type LineagePlace, NO_EDGE, type Window } from './lineage-window.js';

/** An edge as the statements return it. */
export interface RawEdge {
  readonly from: string;
  readonly to: string;
  /** Empty where there is none. */
  readonly via: string;
  readonly legs: readonly string[];
}

/** With the place of the end that is listed later. */
interface PlacedEdge extends RawEdge {
  readonly later: number;
}

/** Where the edges of a window end early. */
export interface EdgeCut {
  /** Place of the node whose edges are not all told. */
  readonly place: number;
  readonly edge: LineagePlace['edge'];
}

export interface WindowEdges {
  readonly edges: readonly LineageEdge[];
  readonly cut: EdgeCut | null;
}

/** The edges of a window, from Neo4j. */
export async function readEdges(read: BoundedRead, walk: CheckedWalk, window: Window): Promise<WindowEdges> {
  const { listed, edgesBegin, afterEdge } = window;
  const urns = listed.slice(edgesBegin).map(({ urn }) => urn);
  if (urns.length === 0) return { edges: [], cut: null };
  const [way = 'DOWNSTREAM'] = walk.ways;
  const statement = lineageEdges({ level: walk.level, view: walk.view.name, way, hasEarlier: edgesBegin > 0 });
  const [afterFrom, afterTo, afterVia] = afterEdge;
  const rows = await read.run<PlacedEdge>(statement, {
    ...walk.view.parameters,
    ...{ urns, afterFrom, afterTo, afterVia, afterPlace: edgesBegin, first: edgesBegin },
    places: Object.fromEntries(placesOf(window)),
    limit: neo4j.int(walk.maxEdges + 1),
  });
  return cutEdges(walk, rows);
}

/** The edges of the first window of a walk all of whose edges are known. */
export function edgesWithin(walk: CheckedWalk, window: Window, edges: readonly RawEdge[]): WindowEdges {
  const places = placesOf(window);
  const placed: PlacedEdge[] = [];
  for (const { from, to, via, legs } of edges) {
    const [fromPlace, toPlace] = [places.get(from), places.get(to)];
    if (fromPlace === undefined || toPlace === undefined) continue;
    placed.push({ from, to, via, legs, later: Math.max(fromPlace, toPlace) });
  }
  return cutEdges(walk, placed.sort(compare));
}

const placesOf = ({ listed }: Window) => new Map(listed.map(({ urn }, place) => [urn, place]));

const keyOf = ({ from, to, via }: RawEdge): EdgeKey => [from, to, via];

/** The order of `lineageEdges`. Urns are ASCII, so that text has one order in Neo4j and here. */
function compare(a: PlacedEdge, b: PlacedEdge): number {
  if (a.later !== b.later) return a.later - b.later;
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  if (a.to !== b.to) return a.to < b.to ? -1 : 1;
  return a.via < b.via ? -1 : 1;
}

/** @param rows in order, and one more than may be told if there are so many */
function cutEdges({ level, maxEdges }: CheckedWalk, rows: readonly PlacedEdge[]): WindowEdges {
  const told = rows.slice(0, maxEdges);
  const edges = told.map(({ from, to, via, legs }) =>
    edgeFromLegs({ kind: kindOfEdge(level, from), from, to }, via, legs),
  );
  const dropped = rows[maxEdges];
  if (dropped === undefined) return { edges, cut: null };
  const last = told.at(-1);
  return { edges, cut: { place: dropped.later, edge: last?.later === dropped.later ? keyOf(last) : NO_EDGE } };
}

/** The kind of its first end tells the kind of a stored edge. */
export function kindOfEdge(level: LineageLevel, from: string): LineageEdge['kind'] {
  if (level === 'JOB') return 'PASSES';
  if (level === 'FIELD') return 'DERIVES';
  return from.startsWith('nucleus:job:') ? 'PRODUCES' : 'FEEDS';
}
