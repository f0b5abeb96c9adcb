/*
 * What retention looks for among the records of lineage and among the versions of data sets, and what it removes.
 */
import { writtenAt } from './run-lineage-statements.js';

/**
 * Takes the locks under which the events of all inboxes are written, always in one order, and leaves nothing behind.
 */
export const HOLD_ALL_LINEAGE = `
MATCH (i:LineageInbox)
WITH i
ORDER BY i.id
SET i.held = true
REMOVE i.held`;

/**
 * The records of a series that lie before an instant, from a place on, by time and then by key. What comes before the place is
 * excluded by a rule of which no index can be asked: of an OR the planner would make two seeks, one of them without an end. Parameters: `series`, `before`,
 * `limit`; `afterTime` and `afterKey`, both empty texts for the first.
 */
export const READ_OLD_LINEAGE_RECORDS = `
MATCH (r:LineageRecord)
USING INDEX r:LineageRecord(series, first)
WHERE r.series = $series AND r.first >= $afterTime AND r.first < $before
  AND NOT (r.first = $afterTime AND r.key <= $afterKey)
RETURN [r.key, r.series, r.first, r.last, r.data] AS record
ORDER BY r.series, r.first, r.key
LIMIT $limit`;

/** Those of some runs that are the platform's own. Parameters: `urns`. */
export const OWN_RUNS = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
WHERE n:IngestionRun
RETURN n.urn AS urn`;

/**
 * Those of some versions that are the latest of their data set, as walks over runs take them. Parameters: `urns`.
 */
export const NEWEST_VERSIONS = `
UNWIND $urns AS urn
MATCH (v:Entity {urn: urn})
USING INDEX v:Entity(urn)
WHERE v.deletedAt IS NULL
WITH v, ${writtenAt('v')} AS at
MATCH (v)<-[h:HAS_VERSION]-(d)
WHERE h.deletedAt IS NULL AND NOT EXISTS {
  MATCH (d)-[link:HAS_VERSION]->(other)
  WHERE link.deletedAt IS NULL AND other.deletedAt IS NULL AND other.urn <> v.urn
  WITH v, at, other, ${writtenAt('other')} AS otherAt
  WHERE at IS NULL AND otherAt IS NOT NULL OR otherAt > at
    OR (otherAt = at OR at IS NULL AND otherAt IS NULL) AND other.urn > v.urn
  RETURN other
}
RETURN DISTINCT v.urn AS urn`;

/**
 * Versions in the order of their urns, with the runs that have read or written them. Only of those that were written before an
 * instant, or never as far as is known, runs are looked for: of others there is no row but the last of the page.
 * Parameters: `after` and `until`, between which the urns lie, `before`, `limit`; `links`, the most runs of each.
 */
export const READ_OLD_VERSIONS = `
MATCH (v:Entity)
USING INDEX v:Entity(urn)
WHERE v.urn > $after AND v.urn < $until
WITH v
ORDER BY v.urn
LIMIT $limit
WITH collect(v) AS page
UNWIND page AS v
WITH v, v.urn = page[-1].urn AS isLast, v:DatasetVersion AND (v.writtenAt IS NULL OR v.writtenAt < $before) AS isOld
WHERE isOld OR isLast
RETURN v.urn AS urn, isOld, CASE WHEN isOld THEN COLLECT {
  MATCH (v)-[r:READ|WROTE]-(run)
  WHERE r.deletedAt IS NULL
  RETURN DISTINCT run.urn LIMIT $links
} ELSE [] END AS runs
ORDER BY urn`;

/** Parameters: `keys`. */
export const REMOVE_LINEAGE_RECORDS = `
UNWIND $keys AS key
MATCH (r:LineageRecord {key: key})
DELETE r`;
