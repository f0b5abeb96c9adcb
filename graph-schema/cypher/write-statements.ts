import { EDGE_KINDS, type EdgeKind, ENTITY_LABELS, type EntityKind } from '../entity-kinds.js';

/**
 * Takes the write locks of the nodes in urn order, creating the missing ones, and returns what they hold.
 * The dummy SET is the lock: Neo4j is read-committed, so a value read before it could be stale when compared.
 * A node made here has version 0 until the same transaction fills it; one that stays at 0 is a placeholder.
 * Parameters: `urns` (sorted), `now`.
 */
export const LOCK_ENTITIES = `
UNWIND $urns AS urn
MERGE (n:Entity {urn: urn})
ON CREATE SET n.version = 0, n.createdAt = $now, n.updatedAt = $now, n.placeholder = true, n.name = urn
SET n.urn = urn
RETURN n.urn AS urn, properties(n) AS properties`;

/** Parameters: `rows` of { urn, set }; `set` holds version and updatedAt and a null for each property to remove. */
export function writeEntities(kind: EntityKind): string {
  return `
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:${ENTITY_LABELS[kind].join(':')}`;
}

/**
 * Locks and reads the edges of one kind between nodes that `LOCK_ENTITIES` holds already, so nobody else can be
 * creating the same edge. Parameters: `rows` of { from, to }, `now`.
 */
export function lockEdges(kind: EdgeKind): string {
  return `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
MATCH (b:Entity {urn: row.to})
MERGE (a)-[r:${knownEdge(kind)}]->(b)
ON CREATE SET r.version = 0, r.createdAt = $now, r.updatedAt = $now
SET r.version = r.version
RETURN row.from AS from, row.to AS to, properties(r) AS properties`;
}

/** As `lockEdges`, but an edge that does not exist is not made. Parameters: `rows` of { from, to }. */
export function lockExistingEdges(kind: EdgeKind): string {
  return `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})-[r:${knownEdge(kind)}]->(b:Entity {urn: row.to})
SET r.version = r.version
RETURN row.from AS from, row.to AS to, properties(r) AS properties`;
}

/** Parameters: `rows` of { from, to, set }. */
export function writeEdges(kind: EdgeKind): string {
  return `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})-[r:${knownEdge(kind)}]->(b:Entity {urn: row.to})
SET r += row.set`;
}

/**
 * Takes the next sequence number. It runs last in its transaction: the counter is locked from the dummy SET to the
 * commit, so the order of numbers is the order of commits, and a rollback gives the number back.
 */
export const NEXT_SEQUENCE = `
MATCH (l:ChangeLog {id: 'main'})
SET l.lockedBy = $lockedBy
WITH l
SET l.sequence = l.sequence + 1
RETURN l.sequence AS sequence`;

/** Parameters: `sequence`, `at`, `actor`, `runId`, `urns`, `items` (JSON text). */
export const RECORD_CHANGE = `
CREATE (:Change {sequence: $sequence, at: $at, actor: $actor, runId: $runId, urns: $urns, items: $items})`;

export const READ_HEAD = `MATCH (l:ChangeLog {id: 'main'}) RETURN l.sequence AS sequence`;

/** Parameters: `after`, `upTo`, `limit`. */
export const READ_CHANGES = `
MATCH (c:Change)
WHERE c.sequence > $after AND c.sequence <= $upTo
RETURN c.sequence AS sequence, c.at AS at, c.actor AS actor, c.runId AS runId, c.items AS items
ORDER BY c.sequence
LIMIT $limit`;

/** The type system allows only known kinds; a value that came in by a cast must not reach Cypher either. */
function knownEdge(kind: EdgeKind): EdgeKind {
  if (!EDGE_KINDS.includes(kind)) throw new TypeError(`unknown edge kind ${JSON.stringify(kind)}`);
  return kind;
}
