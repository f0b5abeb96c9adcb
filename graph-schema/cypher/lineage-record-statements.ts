/*
 * What the graph remembers of events beside what it shows. A `LineageRecord` is JSON under a key; records of one `series` lie in
 * time, from `first` to `last`, both texts of one width whose order is that of time. Bookkeeping, so without the label `Entity`.
 */

/**
 * Takes the lock under which the events of an inbox are written, and tells how far they were. Parameters: `inbox`.
 */
export const HOLD_LINEAGE_POSITION = `
MERGE (i:LineageInbox {id: $inbox})
ON CREATE SET i.position = 0, i.fence = 0
SET i.held = true
RETURN i.position AS position, i.fence AS fence`;

/** Parameters: `inbox`. */
export const READ_LINEAGE_POSITION = 'MATCH (i:LineageInbox {id: $inbox}) RETURN i.position AS position';

/** Parameters: `inbox`, `position`, `fence`. */
export const MOVE_LINEAGE_POSITION = `
MATCH (i:LineageInbox {id: $inbox})
SET i.position = $position, i.fence = $fence
REMOVE i.held`;

const RECORD = '[r.key, r.series, r.first, r.last, r.data]';

/** Parameters: `keys`. */
export const READ_LINEAGE_RECORDS = `
UNWIND $keys AS key
MATCH (r:LineageRecord {key: key})
RETURN ${RECORD} AS record`;

/**
 * For each row, the records of its series that lie at least partly between `from` and `to`; then the first ones that begin after
 * `to`, and the last ones that end before `from`. Of the records that reach into the stretch, those that begin before `since` are
 * not looked for. Parameters: `rows` with `series`, `since`, `from`, `to`; `reach`, the number of those before and after.
 */
export const READ_LINEAGE_STRETCHES = `
UNWIND range(0, size($rows) - 1) AS index
WITH index, $rows[index] AS row
RETURN index,
  COLLECT {
    MATCH (r:LineageRecord)
    WHERE r.series = row.series AND r.first >= row.since AND r.first <= row.to AND r.last >= row.from
    RETURN ${RECORD}
  } AS within,
  COLLECT {
    MATCH (r:LineageRecord)
    WHERE r.series = row.series AND r.first > row.to
    RETURN ${RECORD} ORDER BY r.series, r.first LIMIT $reach
  } AS after,
  COLLECT {
    MATCH (r:LineageRecord)
    USING INDEX r:LineageRecord(series, last)
    WHERE r.series = row.series AND r.last < row.from
    RETURN ${RECORD} ORDER BY r.series DESC, r.last DESC LIMIT $reach
  } AS before
ORDER BY index`;

/** Parameters: `rows` of key, series, first, last and data. */
export const WRITE_LINEAGE_RECORDS = `
UNWIND $rows AS row
MERGE (r:LineageRecord {key: row[0]})
SET r.series = row[1], r.first = row[2], r.last = row[3], r.data = row[4]`;
