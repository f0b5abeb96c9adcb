import { EDGE_KINDS, type EdgeKind, type KindName, type LinkKindName, labelsOf } from '../entity-kinds.js';
import { LINK_KIND_PATTERN } from '../kinds/kind-definition.js';

/**
 * Takes the write locks of the nodes that exist, in urn order, and returns what they hold of the asked-for properties.
 * The dummy SET is the lock: Neo4j is read-committed, so a value read before it could be stale when compared. It must
 * write a constant, since a value that was read before the lock would be written back stale.
 * Parameters: `rows` of [urn, name of a key list, whether it is but an end of edges], sorted by urn: two batches that lock in
 * one order cannot wait for each other in a circle; `keys` by that name. Places and lists of values take half the time of
 * urns and maps to pack and unpack. For the same reason an end of edges is returned only where something is odd about it:
 * with no values when it does not exist, with values when it is a placeholder or deleted.
 */
export const LOCK_ENTITIES = `
UNWIND range(0, size($rows) - 1) AS place
WITH place, $rows[place] AS row
OPTIONAL MATCH (n:Entity {urn: row[0]})
USING INDEX n:Entity(urn)
SET n.urn = row[0]
WITH place, row, n
WHERE (row[2] AND (n IS NULL OR n.version = 0 OR n.deletedAt IS NOT NULL)) OR (NOT row[2] AND n IS NOT NULL)
WITH place, row, properties(n) AS held
RETURN place, CASE WHEN held IS NULL THEN null ELSE [key IN $keys[row[1]] | held[key]] END AS values`;

/** Labels of nodes that are locked. Parameters: `urns`. */
export const READ_LABELS = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN n.urn AS urn, labels(n) AS labels`;

/**
 * Makes the nodes that `LOCK_ENTITIES` did not find. MERGE takes the lock of the urn, so of two writers one finds the
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
 * Reads the edges of one kind between nodes that are locked, so nobody else can be changing them or making the same one.
 * Parameters: `rows` of [from, to, name of a key list], where the ends are urns; `keys` by that name.
 */
export function readEdges(kind: LinkKindName): string {
  return `
UNWIND range(0, size($rows) - 1) AS place
WITH place, $rows[place] AS row
MATCH (a:Entity {urn: row[0]})
USING INDEX a:Entity(urn)
MATCH (b:Entity {urn: row[1]})
USING INDEX b:Entity(urn)
MATCH (a)-[r:${knownLink(kind)}]->(b)
WITH place, row, properties(r) AS held
RETURN place, [key IN $keys[row[2]] | held[key]] AS values`;
}

/** Parameters: `rows` of { from, to, set }, where the ends are urns of nodes that are locked; `change`, `now`. */
export function createEdges(kind: LinkKindName): string {
  return `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
USING INDEX a:Entity(urn)
MATCH (b:Entity {urn: row.to})
USING INDEX b:Entity(urn)
WITH a, b, row.set AS set
CREATE (a)-[r:${knownLink(kind)}]->(b)
SET r = set {.*, version: 1, createdAt: $now, updatedAt: $now, lastChange: $change}`;
}

/** Parameters: `rows` of { from, to, version, set }, where the ends are urns of nodes that are locked; `change`, `now`. */
export function updateEdges(kind: LinkKindName): string {
  return `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
USING INDEX a:Entity(urn)
MATCH (b:Entity {urn: row.to})
USING INDEX b:Entity(urn)
MATCH (a)-[r:${knownLink(kind)}]->(b)
WITH r, row.version AS version, row.set AS set
SET r += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}`;
}

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
