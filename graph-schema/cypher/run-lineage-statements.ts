/**
 * The statements that walk runs and the versions of data sets that they read and wrote.
 *
 * Both edges are stored from the run, `(:Run)-[:READ]->(:DatasetVersion)<-[:WROTE]-(:Run)`, so the data flows against the arrow of
 * READ and along that of WROTE. They hold no validity: what is deleted is gone.
 */
import type { LineageWay } from './lineage-statements.js';

/** The two kinds of node that take turns on a walk. */
export type RunLineageSide = 'RUN' | 'VERSION';

const isThere = (one: string): string => `${one}.deletedAt IS NULL`;

/** How a walk leaves a node. */
function leaving(side: RunLineageSide, way: LineageWay, r: string): string {
  if (side === 'RUN') return way === 'DOWNSTREAM' ? `-[${r}:WROTE]->` : `-[${r}:READ]->`;
  return way === 'DOWNSTREAM' ? `<-[${r}:READ]-` : `<-[${r}:WROTE]-`;
}

/** When a version was written. Those of the platform's own runs hold no time of their own: they are there when their run ends. */
export const writtenAt = (v: string): string => `coalesce(${v}.writtenAt, head(COLLECT {
    MATCH (${v})<-[w:WROTE]-(by) WHERE ${isThere('w')} AND ${isThere('by')} AND by.endedAt IS NOT NULL
    RETURN by.endedAt ORDER BY by.endedAt DESC LIMIT 1
  }))`;

/**
 * Where a walk begins: the node itself, or the latest version of a data set; of those of one time that of the greatest urn, and one
 * that no known run has written comes after all others. Returns one row, or none when the urn names nothing that exists;
 * `starts` is empty for a data set of which no version is known. Parameters: `urn`.
 */
export const RUN_LINEAGE_START = `
MATCH (n:Entity {urn: $urn})
WHERE ${isThere('n')}
RETURN CASE WHEN n.urn STARTS WITH 'nucleus:dataset:' THEN COLLECT {
  MATCH (n)-[h:HAS_VERSION]->(v) WHERE ${isThere('h')} AND ${isThere('v')}
  WITH v, ${writtenAt('v')} AS at
  RETURN v.urn ORDER BY at IS NULL, at DESC, v.urn DESC LIMIT 1
} ELSE [n.urn] END AS starts`;

/** The neighbours of nodes of one side, each once, as one row of `urns`. Parameters: `urns`. */
export function runLineageStep(side: RunLineageSide, way: LineageWay): string {
  return `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)${leaving(side, way, 'r')}(m)
WHERE ${isThere('r')}
  AND ${isThere('m')}
WITH DISTINCT m
RETURN collect(m.urn) AS urns`;
}

/** Which of the nodes of one side has the most edges in the store, deleted ones included. Parameters: `urns`. */
export function runLineageHub(side: RunLineageSide, way: LineageWay): string {
  return `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, count { (n)${leaving(side, way, '')}() } AS neighbours
ORDER BY neighbours DESC, urn LIMIT 1`;
}

/** Parents of a run that are followed to the one at the top; no scheduler nests runs deeper, and a ring must end. */
const MOST_PARENTS = 20;

const found = (pattern: string, order: string): string => `head(COLLECT { ${pattern} RETURN ${order} LIMIT 1 })`;

/**
 * What is told of runs and versions. `root` is the run that the events name, or the one at the top of the parents.
 * Parameters: `urns`.
 */
export const RUN_LINEAGE_NODES = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, n.name AS name, labels(n) AS labels, n.placeholder IS NOT NULL AS placeholder,
  n.state AS state, toString(n.startedAt) AS startedAt, toString(n.endedAt) AS endedAt,
  ${found(`MATCH (n)<-[r:HAS_RUN]-(job) WHERE ${isThere('r')} AND ${isThere('job')}`, 'job.urn ORDER BY job.urn')} AS job,
  ${found(`MATCH (n)-[r:PART_OF]->(up) WHERE ${isThere('r')} AND ${isThere('up')}`, 'up.urn ORDER BY up.urn')} AS parent,
  coalesce(n.root, ${found(
    `MATCH p = (n)-[:PART_OF*1..${MOST_PARENTS}]->(top)
    WHERE all(r IN relationships(p) WHERE ${isThere('r')}) AND all(m IN nodes(p) WHERE ${isThere('m')}) AND top <> n`,
    'top.urn ORDER BY length(p) DESC, top.urn',
  )}) AS root,
  toString(${writtenAt('n')}) AS writtenAt`;

/** The jobs of runs, one row for each link, deleted ones included, with the time when it was made, in milliseconds. Parameters: `urns`. */
export const JOBS_OF_RUNS = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)<-[r:HAS_RUN]-(job)
RETURN urn, job.urn AS job, r.createdAt.epochMillis AS since`;

interface RunLineageEdgesOptions {
  /** From which end the edges between nodes of the page are looked up; that of the walk meets fewer others. */
  readonly way: LineageWay;
  /** Whether nodes were listed before this page. */
  readonly hasEarlier: boolean;
}

/**
 * Edges of the nodes of a part among themselves and to nodes that were listed before it, as the data flows, in the order of their
 * later end, then of their ends. Returns ends, `facets` as stored, and the place of the later end; parameters are those of
 * `lineageEdges`, but for `afterVia`.
 */
export function runLineageEdges({ way, hasEarlier }: RunLineageEdgesOptions): string {
  const branches = (towards: LineageWay, rule: string): string[] =>
    (['RUN', 'VERSION'] as const).map(
      (side) => `MATCH (n)${leaving(side, towards, 'r')}(m)
  WHERE ${isThere('r')}
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE ${rule}
  RETURN m, facets, other, ${towards === 'DOWNSTREAM'} AS out`,
    );
  const opposite = way === 'DOWNSTREAM' ? 'UPSTREAM' : 'DOWNSTREAM';
  const all = [...branches(way, 'other IS NOT NULL'), ...(hasEarlier ? branches(opposite, 'other < $first') : [])];
  return `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
CALL (n) {
  ${all.join('\n  UNION ALL\n  ')}
}
WITH $places[urn] AS own, urn, m.urn AS neighbour, facets, other, out
WITH facets, CASE WHEN own > other THEN own ELSE other END AS later,
  CASE WHEN out THEN urn ELSE neighbour END AS from, CASE WHEN out THEN neighbour ELSE urn END AS to
WHERE later > $afterPlace OR later = $afterPlace AND (from > $afterFrom OR from = $afterFrom AND to > $afterTo)
WITH later, from, to, facets
ORDER BY later, from, to LIMIT $limit
RETURN from, to, facets, later`;
}
