/**
 * Records a change under the next sequence number. It runs last in its transaction: the counter is locked from the dummy
 * SET to the commit, so the order of numbers is the order of commits, and a rollback gives the number back. The record is
 * made before the lock is taken, since every other writer waits for it.
 * Parameters: `id`, `at`, `actor`, `runId`, `items` (JSON text, or its bytes packed), `size` (length of the text).
 */
export const RECORD_CHANGE = `
CREATE (c:Change {id: $id, at: $at, actor: $actor, runId: $runId, items: $items, size: $size})
WITH c
MATCH (l:ChangeLog {id: 'main'})
SET l.lockedBy = $id
WITH c, l
SET l.sequence = l.sequence + 1
SET c.sequence = l.sequence
RETURN l.sequence AS sequence`;

/**
 * `sequence` is the last change that READ_CHANGES finds, by the same index; `counted` is what the counter says. Neo4j shows a commit
 * piece by piece while it applies it: the counter before the edges, the indexes last. So nothing can be seen of a change that is not
 * counted, and what is counted can be read in a moment. No change is missing before the last one of the index: a commit keeps the
 * lock of the counter until all of it is applied, and only then the next one gets its number.
 */
export const READ_HEAD = `
MATCH (l:ChangeLog {id: 'main'})
RETURN l.sequence AS counted, coalesce(head(COLLECT {
  MATCH (c:Change)
  WHERE c.sequence > 0
  RETURN c.sequence
  ORDER BY c.sequence DESC
  LIMIT 1
}), 0) AS sequence`;

export const READ_OLDEST = `
MATCH (c:Change)
WHERE c.sequence > 0
RETURN c.sequence AS sequence
ORDER BY c.sequence
LIMIT 1`;

/** Stops with the change that takes the texts past `maxSize`, so there is always one. Parameters: `after`, `upTo`, `limit`, `maxSize`. */
export const READ_CHANGES = `
MATCH (c:Change)
WHERE c.sequence > $after AND c.sequence <= $upTo
WITH c
ORDER BY c.sequence
LIMIT $limit
WITH collect(c) AS page
WITH page, reduce(taken = [0, 0], c IN page |
  CASE WHEN taken[1] >= $maxSize THEN taken ELSE [taken[0] + 1, taken[1] + coalesce(c.size, 0)] END) AS taken
UNWIND page[0..taken[0]] AS c
RETURN c.sequence AS sequence, c.id AS id, c.at AS at, c.actor AS actor, c.runId AS runId, c.items AS items
ORDER BY c.sequence`;

/** Parameters: `ids`. */
export const READ_CHANGES_BY_ID = `
UNWIND $ids AS id
MATCH (c:Change {id: id})
RETURN c.sequence AS sequence, c.id AS id, c.at AS at, c.actor AS actor, c.runId AS runId, c.items AS items`;

/** Characters of the items of changes. Parameters: `ids`. */
export const READ_CHANGE_SIZES = `
UNWIND $ids AS id
MATCH (c:Change {id: id})
RETURN c.id AS id, coalesce(c.size, size(c.items)) AS size`;

/** Sequence of a change, if it was committed. Parameters: `id`. */
export const FIND_SEQUENCE = 'MATCH (c:Change {id: $id}) RETURN c.sequence AS sequence';

/** Parameters: `urn`. */
export const READ_LATEST_CHANGE = `
MATCH (n:Entity {urn: $urn})
RETURN n.lastChange AS id`;

/** Parameters: `rows` of { id, items, size }. */
export const REWRITE_CHANGES = `
UNWIND $rows AS row
MATCH (c:Change {id: row.id})
SET c.items = row.items, c.size = row.size`;

/** Whoever removes or rewrites changes takes turns; writers of new ones are not held up. Parameters: `lockedBy`. */
export const LOCK_RETENTION = `
MERGE (l:ChangeLog {id: 'retention'})
SET l.lockedBy = $lockedBy`;

/** The oldest changes but the latest one, as the index has it. Parameters: `limit`. */
export const READ_OLDEST_CHANGES = `
MATCH (c:Change)
WHERE c.sequence > 0 AND EXISTS { MATCH (next:Change) WHERE next.sequence > c.sequence }
RETURN c.sequence AS sequence, c.at AS at
ORDER BY c.sequence
LIMIT $limit`;

/** Parameters: `upTo`. */
export const REMOVE_CHANGES = `
MATCH (c:Change)
WHERE c.sequence > 0 AND c.sequence <= $upTo
DELETE c`;
