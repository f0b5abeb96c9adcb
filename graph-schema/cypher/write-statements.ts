import { EDGE_KINDS, type EdgeKind, type KindName, type LinkKindName, labelsOf } from '../entity-kinds.js';
import { LINK_KIND_PATTERN } from '../kinds/kind-definition.js';

/**
 * Returns what nodes, and edges between them, hold of the asked-for properties. With `lock` it first takes the write locks of
 * the nodes that exist, in the order of `urns`. The dummy SET is the lock: Neo4j is read-committed, so a value read before it
 * could be stale when compared. It must write a constant, since a value that was read before the lock would be written back
 * stale. Whoever changes an edge holds the locks of both its ends, so edges need none of their own.
 *
 * Parameters: `urns`, sorted if they are locked: two batches that lock in one order cannot wait for each other in a circle;
 * `asked`, a list of the same length, with the name of a key list, or null for what is but an end of edges; `keys`, the key
 * lists by name, of which `own` is that of ends; `edges`, for each of the kinds, of { from, to, keys }, three lists of one
 * length: places in `urns` and names of key lists. Places, and flat lists, take half the time of urns and maps to pack and
 * unpack.
 *
 * Returns rows of (group, place, values): group is null for nodes, else the place of the kind. For the same reason an end of
 * edges is returned only where something is odd about it: with no values when it does not exist, with values when it is a
 * placeholder or deleted.
 */
export function readHeld(lock: boolean, edgeKinds: readonly LinkKindName[] = []): string {
  const nodes = `
UNWIND range(0, size($urns) - 1) AS place
OPTIONAL MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)${lock ? '\nSET n.urn = $urns[place]' : ''}`;
  if (edgeKinds.length === 0)
    return `${nodes}
WITH place, $asked[place] AS asked, n${ASKED_NODES}`;
  const ofEdges = edgeKinds.map(
    (kind, group) => `
  UNION ALL
  UNWIND range(0, size($edges[${group}].from) - 1) AS place
  WITH place, nodes[$edges[${group}].from[place]][0] AS a, nodes[$edges[${group}].to[place]][0] AS b
  MATCH (a)-[r:${knownLink(kind)}]->(b)
  WITH place, properties(r) AS held
  RETURN ${group} AS group, place, [key IN $keys[$edges[${group}].keys[place]] | held[key]] AS values`,
  );
  // Each node stands in a list of its own, since collect() leaves out what is null.
  return `${nodes}
WITH place, n
ORDER BY place
WITH collect([n]) AS nodes
CALL (nodes) {
  UNWIND range(0, size($urns) - 1) AS place
  WITH place, $asked[place] AS asked, nodes[place][0] AS n${ASKED_NODES}${ofEdges.join('')}
}
RETURN group, place, values`;
}

const ASKED_NODES = `
WHERE n IS NULL AND asked IS NULL OR n IS NOT NULL AND (asked IS NOT NULL OR n.version = 0 OR n.deletedAt IS NOT NULL)
WITH place, asked, properties(n) AS held
RETURN null AS group, place, CASE WHEN held IS NULL THEN null ELSE [key IN $keys[coalesce(asked, 'own')] | held[key]] END AS values`;

/** Labels of nodes that are locked. Parameters: `urns`. */
export const READ_LABELS = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN n.urn AS urn, labels(n) AS labels`;

/**
 * Makes the nodes that `readHeld` did not find. MERGE takes the lock of the urn, so of two writers one finds the
 * other's node, which `raced` tells: what was planned for a new node is not true of it.
 * Returns only the raced ones. Parameters: `rows` (sorted by urn) of { urn, set, labels }, `change`, `now`; `set` holds the
 * version of those that do not begin with 1.
 */
export const CREATE_ENTITIES = `
UNWIND $rows AS row
WITH row, row.set AS set
MERGE (n:Entity {urn: row.urn})
ON CREATE SET
  n += set {.*, version: coalesce(set.version, 1), createdAt: $now, updatedAt: $now, lastChange: $change},
  n:$(row.labels)
WITH row, n
WHERE coalesce(n.lastChange, '') <> $change
RETURN row.urn AS urn`;

/**
 * Nodes are addressed by urn in every statement: a look-up by the unique index costs less than packing, sending and parsing
 * element ids. The stamp is the same for all rows, so it is sent once: the driver packs dates and integers slowly.
 * Parameters: `rows` of { urn, version, set }, `change`, `now`; `set` holds a null for each property to remove.
 */
export function updateEntities(kind: KindName): string {
  return `${SET_PROPERTIES}, n:${labelsOf(kind).join(':')}`;
}

/** As `updateEntities`, with the labels left as they are. */
export const SET_PROPERTIES = `
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}`;

/**
 * The ends of edges are nodes that are locked. Each is looked up once, and the edges name it by its place.
 * Returns the number of edges: fewer than rows means that an end was not there.
 * Parameters: `urns`; `rows` of [from, to, set], where the ends are places in `urns`; `change`, `now`.
 */
export function createEdges(kind: LinkKindName): string {
  return `${ENDS}
UNWIND $rows AS row
WITH ends[row[0]] AS a, ends[row[1]] AS b, row[2] AS set
CREATE (a)-[r:${knownLink(kind)}]->(b)
SET r = set {.*, version: 1, createdAt: $now, updatedAt: $now, lastChange: $change}
RETURN count(r) AS written`;
}

/** As `createEdges`, with rows of [from, to, set, version]; `set` holds a null for each property to remove. */
export function updateEdges(kind: LinkKindName): string {
  return `${ENDS}
UNWIND $rows AS row
WITH ends[row[0]] AS a, ends[row[1]] AS b, row
MATCH (a)-[r:${knownLink(kind)}]->(b)
WITH r, row[2] AS set, row[3] AS version
SET r += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}
RETURN count(r) AS written`;
}

const ENDS = `
UNWIND range(0, size($urns) - 1) AS place
MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)
WITH place, n
ORDER BY place
WITH collect(n) AS ends
WHERE size(ends) = size($urns)`;

/** Parameters: `urns`. */
export const PURGE_ENTITIES = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
DETACH DELETE n`;

/** Latest changes of the nodes that are to be purged and of their edges. Parameters: `urns`. */
export const LATEST_CHANGES = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
OPTIONAL MATCH (n)-[r]-()
WITH n, collect(DISTINCT r.lastChange) AS changes
UNWIND changes + [n.lastChange] AS change
WITH DISTINCT change WHERE change IS NOT NULL
RETURN change`;

/**
 * Takes a request's key, or waits for the request that holds it. `receipt` is null for the one that came first.
 * Parameters: `key`, `hash`, `now`.
 */
export const TAKE_REQUEST = `
MERGE (r:WriteRequest {key: $key})
ON CREATE SET r.hash = $hash, r.at = $now
SET r.key = $key
RETURN r.hash AS hash, r.receipt AS receipt`;

/** Parameters: `key`, `receipt` (JSON text). */
export const ANSWER_REQUEST = `
MATCH (r:WriteRequest {key: $key})
SET r.receipt = $receipt`;

/** Parameters: `before`. */
export const FORGET_REQUESTS = `
MATCH (r:WriteRequest)
WHERE r.at < $before
WITH r LIMIT 1000
DELETE r
RETURN count(*) AS removed`;

/** The type system allows only checked kinds; a value that came in by a cast must not reach Cypher either. */
function knownLink(kind: LinkKindName): LinkKindName {
  if (!EDGE_KINDS.includes(kind as EdgeKind) && !LINK_KIND_PATTERN.test(kind)) {
    throw new TypeError(`unknown edge kind ${JSON.stringify(kind)}`);
  }
  return kind;
}
