/**
 * How lineage is kept, and the statements that walk it.
 *
 * `FEEDS`, `PRODUCES` and `DERIVES` carry their validity as properties that Cypher compares without unpacking anything:
 * - `validFrom`, a list of texts: when each interval begins, ascending. `validTo`, the same for the ends, which are not part of
 *   the interval. An interval that is still open has no end, so the list is one shorter; intervals never touch or overlap.
 *   Instants are texts of one width, UTC with nine digits of fraction (`2024-05-01T10:00:00.000000000Z`), so that their
 *   order is that of text, nanoseconds survive, and people can read them in Neo4j Browser.
 * - `current`, a boolean: whether the last interval is open. It must agree with the lists.
 * - `firstRuns`, `lastRuns`, lists as long as `validFrom`: urn of the run that first and last asserted the edge within each
 *   interval, `manual:` with the name of whoever did it by hand, percent-encoded, or an empty text where nobody is known.
 * - `manual`, JSON of what was done to it by hand last, with `does`, `actor`, `at` and `note`; missing where nothing was.
 *
 * An edge whose lists are empty was asserted once by runs that have been rolled back since: only EVER has it.
 *
 * An edge without `validFrom` was written by the platform's own ingestion or by a user: it is valid from `createdAt` on.
 * Deletion ends an edge or a node for every view but EVER: `AT` still sees it before `deletedAt`, `CURRENT` never. Placeholders
 * count as nodes. When a node was made says nothing: events tell of times before they arrived.
 */

/** What a walk is about: data sets with the jobs between them, jobs alone, or columns. */
export const LINEAGE_LEVELS = ['DATASET', 'JOB', 'FIELD'] as const;
export type LineageLevel = (typeof LINEAGE_LEVELS)[number];

export type LineageViewName = 'CURRENT' | 'AT' | 'EVER';

/** The way of a walk along the arrows, which point as the data flows. */
export type LineageWay = 'DOWNSTREAM' | 'UPSTREAM';

/** Where the instant of view AT stands: `text` of one width as above, and `time`, the same as a date-time. */
interface MomentNames {
  readonly text: string;
  readonly time: string;
}

const PARAMETERS: MomentNames = { text: '$at', time: '$atTime' };

/** Which edges exist in a view. @param at by default the parameters `at` and `atTime` */
export function edgeIn(view: LineageViewName, r: string, at = PARAMETERS): string {
  switch (view) {
    case 'CURRENT':
      return `${r}.deletedAt IS NULL AND (${r}.current IS NULL OR ${r}.current)`;
    case 'AT':
      // Intervals never overlap, so the edge is valid where more of them have begun than ended.
      return `(${r}.deletedAt IS NULL OR ${r}.deletedAt > ${at.time})
    AND CASE WHEN ${r}.validFrom IS NULL THEN ${r}.createdAt <= ${at.time}
      ELSE size([x IN ${r}.validFrom WHERE x <= ${at.text}]) > size([x IN coalesce(${r}.validTo, []) WHERE x <= ${at.text}]) END`;
    case 'EVER':
      return 'true';
  }
}

/** Which nodes exist in a view. @param at by default the parameters `at` and `atTime` */
export function nodeIn(view: LineageViewName, n: string, at = PARAMETERS): string {
  switch (view) {
    case 'CURRENT':
      return `${n}.deletedAt IS NULL`;
    case 'AT':
      return `(${n}.deletedAt IS NULL OR ${n}.deletedAt > ${at.time})`;
    case 'EVER':
      return 'true';
  }
}

const stored = (level: LineageLevel): string => (level === 'FIELD' ? 'DERIVES' : 'FEEDS|PRODUCES');

const arrow = (way: LineageWay, r: string): string => (way === 'DOWNSTREAM' ? `-[${r}]->` : `<-[${r}]-`);

/**
 * Where a walk begins: the node itself, or the columns of a data set whose columns are asked for.
 * Returns one row, or none when the urn names nothing that exists in the view; `starts` holds urns. Parameters: `urn`.
 */
export function lineageStart(level: LineageLevel, view: LineageViewName): string {
  const starts =
    level === 'FIELD'
      ? `CASE WHEN n:Field OR n.urn STARTS WITH 'nucleus:field:' THEN [n.urn] ELSE COLLECT {
  MATCH (n)-[h:HAS_FIELD]->(f) WHERE ${edgeIn(view, 'h')} AND ${nodeIn(view, 'f')}
  RETURN f.urn
} END`
      : '[n.urn]';
  return `
MATCH (n:Entity {urn: $urn})
WHERE ${nodeIn(view, 'n')}
RETURN ${starts} AS starts`;
}

/** The neighbours of nodes, each once, as one row of `urns`. Parameters: `urns`. */
export function lineageStep(level: LineageLevel, view: LineageViewName, way: LineageWay): string {
  return `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)${arrow(way, `r:${stored(level)}`)}(m)
WHERE ${edgeIn(view, 'r')}
  AND ${nodeIn(view, 'm')}
WITH DISTINCT m
RETURN collect(m.urn) AS urns`;
}

/** Which of the nodes has the most edges in the store, in whatever view. Parameters: `urns`. */
export function lineageHub(level: LineageLevel, way: LineageWay): string {
  const degree = stored(level)
    .split('|')
    .map((type) => `count { (n)${arrow(way, `:${type}`)}() }`);
  return `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, ${degree.join(' + ')} AS neighbours
ORDER BY neighbours DESC, urn LIMIT 1`;
}

/** Parameters: `urns`. */
export const LINEAGE_NODES = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, n.name AS name, labels(n) AS labels, n.placeholder IS NOT NULL AS placeholder, toString(n.deletedAt) AS deletedAt`;

/** When a run was, as texts. Parameters: `urn`. */
export const LINEAGE_RUN = `
MATCH (n:Entity {urn: $urn})
WHERE n:Run
RETURN toString(n.startedAt) AS startedAt, toString(n.endedAt) AS endedAt`;

/** Places of those edges that somebody has asserted or withdrawn by hand. Parameters: `edges` of { from, to }. */
export const LINEAGE_DRAWN_BY_HAND = `
UNWIND range(0, size($edges) - 1) AS place
MATCH (a:Entity {urn: $edges[place].from})-[r:FEEDS|PRODUCES|DERIVES]->(b:Entity {urn: $edges[place].to})
WHERE r.manual IS NOT NULL
RETURN DISTINCT place`;

/**
 * What an answer tells of one stored edge, as one text: a list of lists takes the driver longer to unpack than all the rest of
 * a walk. Its seven parts stand between bars, the values of each after a blank; no urn and no instant holds either. The last is a
 * text that may hold anything.
 */
const provenance = (r: string): string => {
  const texts = (list: string) => `reduce(t = '', x IN coalesce(${r}.${list}, []) | t + ' ' + x)`;
  const when = (key: string) => `coalesce(' ' + toString(${r}.${key}), '')`;
  const lists = ['validFrom', 'validTo', 'firstRuns', 'lastRuns'].map(texts);
  const created = `CASE WHEN ${r}.validFrom IS NULL THEN ${when('createdAt')} ELSE '' END`;
  return [...lists, created, when('deletedAt'), when('manual')].join(" + '|' + ");
};

/** What is told of an edge beside its ends: nothing, the runs that have asserted it first and last, or all that is known. */
export const LINEAGE_EDGE_DETAILS = ['ENDS', 'RUNS', 'WHOLE'] as const;
export type LineageEdgeDetail = (typeof LINEAGE_EDGE_DETAILS)[number];

/** The runs of an edge that was not deleted, whose intervals all have some length: the first and the last one, a blank between them. */
const runs = (r: string): string => `coalesce(${r}.firstRuns[0], '') + ' ' + coalesce(${r}.lastRuns[-1], '')`;

/** What is told of each of the stored edges that make up one edge of an answer: a text. */
function legsOf(detail: LineageEdgeDetail, ...stored: readonly string[]): readonly string[] {
  return detail === 'ENDS' ? [] : stored.map(detail === 'RUNS' ? runs : provenance);
}

interface LineageEdgesOptions {
  readonly level: LineageLevel;
  readonly view: LineageViewName;
  readonly detail: LineageEdgeDetail;
  /** From which end the edges between nodes of the page are looked up; that of the walk meets fewer others. */
  readonly way: LineageWay;
  /** Whether nodes were listed before this page. */
  readonly hasEarlier: boolean;
}

const opposite = (way: LineageWay): LineageWay => (way === 'DOWNSTREAM' ? 'UPSTREAM' : 'DOWNSTREAM');

/**
 * Edges of `n` to nodes `m` that a rule lets through. At the level of jobs an edge is a pair of stored ones with the data set between
 * them. Nothing is read of an edge before the rule has let it through.
 *
 * @param back what is returned of `m`, made of the expressions for `via` and for each leg
 */
function edgesOf(
  { level, view, detail }: Pick<LineageEdgesOptions, 'level' | 'view' | 'detail'>,
  way: LineageWay,
  rule: string,
  back: (via: string, legs: readonly string[]) => string,
): string {
  if (level !== 'JOB')
    return `MATCH (n)${arrow(way, `r:${stored(level)}`)}(m)
  WHERE ${edgeIn(view, 'r')}
    AND ${rule}
  RETURN ${back(level === 'FIELD' ? "coalesce(r.via, '')" : "''", legsOf(detail, 'r'))}`;
  const [near, far] = way === 'DOWNSTREAM' ? ['PRODUCES', 'FEEDS'] : ['FEEDS', 'PRODUCES'];
  return `MATCH (n)${arrow(way, `p:${near}`)}(d)
  WHERE ${edgeIn(view, 'p')}
    AND ${nodeIn(view, 'd')}
  MATCH (d)${arrow(way, `f:${far}`)}(m)
  WHERE ${edgeIn(view, 'f')}
    AND ${rule}
  RETURN ${back('d.urn', legsOf(detail, 'p', 'f'))}`;
}

interface LineageNearOptions {
  readonly level: LineageLevel;
  readonly view: LineageViewName;
  readonly detail: LineageEdgeDetail;
  readonly ways: readonly LineageWay[];
  /** Stored edges from the start, null for any number; a part of the text, as Cypher wants it. */
  readonly maxSteps: number | null;
}

/** Nodes of one row: a row of many is unpacked slowly when it spans packets, and many rows of one node have each their own cost. */
const NODES_OF_ROW = 40;

/**
 * A whole walk that has fewer than `limit` nodes, in one statement: a bounded pattern with distinct ends is planned as a
 * breadth-first search that visits each node once and stops at the limit.
 *
 * Returns rows of some nodes each, in no order; no row where the urn names nothing in the view, and one without nodes where there are too many of
 * them. A row has lists with a value for each of its nodes: `urns`, `names`, `labels` with a line break before each, `placeholders`, `deletions`, and `edges`, a
 * list of texts, with the other end, `via` and the legs of an edge on a line each. Edges are those from the node in the way of the walk or, of
 * two ways, in that of the data. Parameters: `urn`, `limit`.
 */
export function lineageNear({ ways, maxSteps, ...told }: LineageNearOptions): string {
  if (maxSteps !== null && (!Number.isSafeInteger(maxSteps) || maxSteps < 1)) {
    throw new TypeError(`${maxSteps} is no length of a walk`);
  }
  const { level, view } = told;
  const cone = (way: LineageWay) => `
  MATCH p = (s)${arrow(way, `:${stored(level)}*0..${maxSteps ?? ''}`)}(n)
  WHERE all(r IN relationships(p) WHERE ${edgeIn(view, 'r')})
    AND all(m IN nodes(p) WHERE ${nodeIn(view, 'm')})
  WITH DISTINCT n LIMIT $limit
  RETURN n`;
  const [edgeWay = 'DOWNSTREAM'] = ways;
  const ofEach = (value: string, name: string) => `[n IN part | ${value}] AS ${name}`;
  return `
MATCH (s:Entity {urn: $urn})
CALL (s) {${ways.map(cone).join('\n  UNION')}
}
WITH collect(n) AS found
WHERE size(found) > 0
WITH CASE WHEN size(found) < $limit THEN found ELSE [] END AS found
UNWIND range(0, size(found), ${NODES_OF_ROW}) AS begin
WITH found, found[begin..begin + ${NODES_OF_ROW}] AS part
RETURN ${[
    ofEach('n.urn', 'urns'),
    ofEach('n.name', 'names'),
    ofEach("reduce(t = '', label IN labels(n) | t + '\\n' + label)", 'labels'),
    ofEach('n.placeholder IS NOT NULL', 'placeholders'),
    ofEach(view === 'CURRENT' ? 'null' : 'toString(n.deletedAt)', 'deletions'),
  ].join(', ')}, [n IN part | COLLECT {
  ${edgesOf(told, edgeWay, 'm IN found', (via, legs) => ['m.urn', via, ...legs].join(" + '\\n' + "))}
}] AS edges`;
}

/**
 * Edges of the nodes of a part among themselves and to nodes that were listed before it, in the order of their later end, then
 * of their ends and `via`.
 *
 * Returns ends, `via`, what is told of each stored edge, and the place of the later end. Parameters: `urns` of the part; `places`, a map from
 * urns, those of before the part included, to their places in the whole walk; `first`, the place where the part begins;
 * `afterPlace`, `afterFrom`, `afterTo`, `afterVia`: the edge after which to go on; `limit`.
 */
export function lineageEdges({ way, hasEarlier, ...told }: LineageEdgesOptions): string {
  const branch = (towards: LineageWay, rule: string): string =>
    edgesOf(
      told,
      towards,
      `$places[m.urn] ${rule}`,
      (via, legs) =>
        `m, ${via} AS via, [${legs.join(', ')}] AS legs, $places[m.urn] AS other, ${towards === 'DOWNSTREAM'} AS out`,
    );
  const branches = [branch(way, 'IS NOT NULL'), ...(hasEarlier ? [branch(opposite(way), '< $first')] : [])];
  return `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
CALL (n) {
  ${branches.join('\n  UNION ALL\n  ')}
}
WITH $places[urn] AS own, urn, m.urn AS neighbour, via, legs, other, out
WITH via, legs, CASE WHEN own > other THEN own ELSE other END AS later,
  CASE WHEN out THEN urn ELSE neighbour END AS from, CASE WHEN out THEN neighbour ELSE urn END AS to
WHERE later > $afterPlace OR later = $afterPlace AND (from > $afterFrom OR from = $afterFrom
  AND (to > $afterTo OR to = $afterTo AND via > $afterVia))
WITH later, from, to, via, legs
ORDER BY later, from, to, via LIMIT $limit
RETURN from, to, via, legs, later`;
}

/**
 * The shortest ways of the data from one node to another. An unreachable end costs no more than what lies on the smaller
 * side of it. Parameters: `from`, `to`, `limit`; the bound of the length is a part of the text, as Cypher wants it.
 */
export function lineagePaths(level: LineageLevel, view: LineageViewName, maxEdges: number): string {
  if (!Number.isSafeInteger(maxEdges) || maxEdges < 1) throw new TypeError(`${maxEdges} is no length of a path`);
  return `
MATCH (a:Entity {urn: $from})
USING INDEX a:Entity(urn)
MATCH (b:Entity {urn: $to})
USING INDEX b:Entity(urn)
MATCH p = allShortestPaths((a)-[:${stored(level)}*..${maxEdges}]->(b))
WHERE all(r IN relationships(p) WHERE ${edgeIn(view, 'r')})
  AND all(n IN nodes(p) WHERE ${nodeIn(view, 'n')})
WITH p LIMIT $limit
RETURN [n IN nodes(p) | n.urn] AS urns, [r IN relationships(p) | coalesce(r.via, '')] AS vias,
  [r IN relationships(p) | ${provenance('r')}] AS legs`;
}
