// ANSWER_REQUEST
MATCH (r:WriteRequest {key: $key})
SET r.receipt = $receipt;

// CREATE_ENTITIES
UNWIND $rows AS row
WITH row, row.set AS set
MERGE (n:Entity {urn: row.urn})
ON CREATE SET
  n += set {.*, version: coalesce(set.version, 1), createdAt: $now, updatedAt: $now, lastChange: $change},
  n:$(row.labels)
WITH row, n
WHERE coalesce(n.lastChange, '') <> $change
RETURN row.urn AS urn;

// FIND_BY_URN
MATCH (n:Entity {urn: $urn})
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
RETURN properties(n) AS n, COLLECT {
  MATCH (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE w.deletedAt IS NULL AND s.deletedAt IS NULL
  RETURN {endpointId: s.id, target: w.target, writeMode: w.writeMode} ORDER BY s.id
} AS sinks;

// FIND_EDGE_VERSIONS
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
MATCH (b:Entity {urn: row.to})
MATCH (a)-[r]->(b) WHERE type(r) = row.kind
RETURN row.kind AS kind, row.from AS from, row.to AS to, r.version AS version;

// FIND_LINK_ENDS
UNWIND $urns AS urn
MATCH (:Entity {urn: urn})-[r]->(m:Entity) WHERE type(r) = $kind AND r.deletedAt IS NULL
RETURN urn AS from, m.urn AS to ORDER BY from, to;

// FIND_NODES
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
RETURN properties(n) AS n, labels(n) AS labels;

// FIND_SEQUENCE
MATCH (c:Change {id: $id}) RETURN c.sequence AS sequence;

// FIND_VERSIONS
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
RETURN n.urn AS urn, n.version AS version;

// FORGET_REQUESTS
MATCH (r:WriteRequest)
WHERE r.at < $before
WITH r LIMIT 1000
DELETE r
RETURN count(*) AS removed;

// HOLD_ALL_LINEAGE
MATCH (i:LineageInbox)
WITH i
ORDER BY i.id
SET i.held = true
REMOVE i.held;

// HOLD_LINEAGE_POSITION
MERGE (i:LineageInbox {id: $inbox})
ON CREATE SET i.position = 0, i.fence = 0
SET i.held = true
RETURN i.position AS position, i.fence AS fence;

// JOBS_OF_RUNS
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)<-[r:HAS_RUN]-(job)
RETURN urn, job.urn AS job, r.createdAt.epochMillis AS since;

// LATEST_CHANGES
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
OPTIONAL MATCH (n)-[r]-()
WITH n, collect(DISTINCT r.lastChange) AS changes
UNWIND changes + [n.lastChange] AS change
WITH DISTINCT change WHERE change IS NOT NULL
RETURN change;

// LINEAGE_DRAWN_BY_HAND
UNWIND range(0, size($edges) - 1) AS place
MATCH (a:Entity {urn: $edges[place].from})-[r:FEEDS|PRODUCES|DERIVES]->(b:Entity {urn: $edges[place].to})
WHERE r.manual IS NOT NULL
RETURN DISTINCT place;

// LINEAGE_NODES
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, n.name AS name, labels(n) AS labels, n.placeholder IS NOT NULL AS placeholder, toString(n.deletedAt) AS deletedAt;

// LINEAGE_RUN
MATCH (n:Entity {urn: $urn})
WHERE n:Run
RETURN toString(n.startedAt) AS startedAt, toString(n.endedAt) AS endedAt;

// LIST_COLLECTED.count
MATCH (:Entity:MetadataEndpoint {urn: $endpoint})-[c:COLLECTED]->(n:Entity:Dataset)
WHERE c.deletedAt IS NULL AND n.deletedAt IS NULL AND n.placeholder IS NULL AND n.urn STARTS WITH $prefix RETURN count(n) AS total;

// LIST_COLLECTED.page
MATCH (:Entity:MetadataEndpoint {urn: $endpoint})-[c:COLLECTED]->(n:Entity:Dataset)
WHERE c.deletedAt IS NULL AND n.deletedAt IS NULL AND n.placeholder IS NULL AND n.urn STARTS WITH $prefix AND ($afterUrn IS NULL OR n.urn > $afterUrn)
WITH n ORDER BY n.urn LIMIT $limit
RETURN properties(n) AS n, COLLECT {
  MATCH (n)-[h:HAS_FIELD]->(f:Field) WHERE h.deletedAt IS NULL AND f.deletedAt IS NULL AND f.placeholder IS NULL
  RETURN f.urn
} AS fields ORDER BY n.urn;

// LIST_COLLECTIONS.count
MATCH (n:Entity:MetadataCollection {endpointId: $endpointId})
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL RETURN count(n) AS total;

// LIST_COLLECTIONS.page
MATCH (n:Entity:MetadataCollection {endpointId: $endpointId})
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL AND ($afterUrn IS NULL OR n.startedAt < $afterStartedAt OR (n.startedAt = $afterStartedAt AND n.urn < $afterUrn))
RETURN properties(n) AS n
ORDER BY n.startedAt DESC, n.urn DESC LIMIT $limit;

// LIST_DEFINED_KINDS
MATCH (n:Entity:KindDefinition)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
RETURN properties(n) AS n ORDER BY n.urn;

// LIST_ENDPOINTS.count
MATCH (n:Entity:MetadataEndpoint)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($ids IS NULL OR n.id IN $ids) AND ($role IS NULL OR n.role = $role) RETURN count(n) AS total;

// LIST_ENDPOINTS.page
MATCH (n:Entity:MetadataEndpoint)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($ids IS NULL OR n.id IN $ids) AND ($role IS NULL OR n.role = $role) AND ($afterUrn IS NULL OR n.urn > $afterUrn)
RETURN properties(n) AS n
ORDER BY n.urn LIMIT $limit;

// LIST_ENDPOINT_TESTS.count
MATCH (n:Entity:EndpointTest {endpointId: $endpointId})
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL RETURN count(n) AS total;

// LIST_ENDPOINT_TESTS.page
MATCH (n:Entity:EndpointTest {endpointId: $endpointId})
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL AND ($afterUrn IS NULL OR n.startedAt < $afterStartedAt OR (n.startedAt = $afterStartedAt AND n.urn < $afterUrn))
RETURN properties(n) AS n
ORDER BY n.startedAt DESC, n.urn DESC LIMIT $limit;

// LIST_ENTITIES.count
MATCH (n:Entity)
USING INDEX n:Entity(urn)
WHERE n.urn > $after AND n.urn < $end
  AND ($label IS NULL OR $label IN labels(n))
  AND n.deletedAt IS NULL AND n.placeholder IS NULL RETURN count(n) AS total;

// LIST_ENTITIES.page
MATCH (n:Entity)
USING INDEX n:Entity(urn)
WHERE n.urn > $after AND n.urn < $end
  AND ($label IS NULL OR $label IN labels(n))
  AND n.deletedAt IS NULL AND n.placeholder IS NULL
WITH n ORDER BY n.urn LIMIT $limit
RETURN properties(n) AS n, labels(n) AS labels
ORDER BY n.urn;

// LIST_LINKS.count
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
CALL (n) {
  CALL (n) {
    WITH n WHERE $out
    MATCH (n)-[r]->(m:Entity) RETURN r, m, 'OUT' AS direction
    UNION ALL
    WITH n WHERE $in
    MATCH (n)<-[r]-(m:Entity) RETURN r, m, 'IN' AS direction
  }
  WITH r, m, direction, type(r) AS kind
  WHERE ($kinds IS NULL OR kind IN $kinds)
    AND r.deletedAt IS NULL AND m.deletedAt IS NULL AND m.placeholder IS NULL
  RETURN count(r) AS total
}
RETURN urn, total;

// LIST_LINKS.page
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
CALL (n) {
  CALL (n) {
    WITH n WHERE $out
    MATCH (n)-[r]->(m:Entity) RETURN r, m, 'OUT' AS direction
    UNION ALL
    WITH n WHERE $in
    MATCH (n)<-[r]-(m:Entity) RETURN r, m, 'IN' AS direction
  }
  WITH r, m, direction, type(r) AS kind
  WHERE ($kinds IS NULL OR kind IN $kinds)
    AND r.deletedAt IS NULL AND m.deletedAt IS NULL AND m.placeholder IS NULL
    AND ($afterKind IS NULL OR kind > $afterKind
      OR (kind = $afterKind AND (direction > $afterDirection OR (direction = $afterDirection AND m.urn > $afterUrn))))
  RETURN r, m, direction, kind ORDER BY kind, direction, m.urn LIMIT $limit
}
RETURN urn, properties(r) AS r, kind, direction, properties(m) AS n, labels(m) AS labels
ORDER BY urn, kind, direction, n.urn;

// LIST_RUNS.count
MATCH (n:Entity:IngestionRun)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.unitId = $unitId)
  AND ($runId IS NULL OR n.id = $runId) RETURN count(n) AS total;

// LIST_RUNS.page
MATCH (n:Entity:IngestionRun)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.unitId = $unitId)
  AND ($runId IS NULL OR n.id = $runId)
WITH n, coalesce(n.startedAt, n.createdAt) AS at
WHERE $afterUrn IS NULL OR at < $afterStartedAt OR (at = $afterStartedAt AND n.urn < $afterUrn)
RETURN properties(n) AS n
ORDER BY at DESC, n.urn DESC LIMIT $limit;

// LIST_STATUSES.count
MATCH (n:Entity:IngestionUnitState)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.unitId = $unitId)
  AND ($state IS NULL OR n.state = $state) RETURN count(n) AS total;

// LIST_STATUSES.page
MATCH (n:Entity:IngestionUnitState)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.unitId = $unitId)
  AND ($state IS NULL OR n.state = $state) AND ($afterUrn IS NULL OR n.urn > $afterUrn)
RETURN properties(n) AS n
ORDER BY n.urn LIMIT $limit;

// LIST_TAGGED_PARTS
UNWIND [$urn] + $columns AS urn
MATCH (n:Entity {urn: urn}) WHERE EXISTS { (n)-[r:TAGGED]->(t:Entity) WHERE r.deletedAt IS NULL AND t.deletedAt IS NULL AND t.urn IN $tags }
RETURN n.urn AS urn
UNION
MATCH (:Entity:Dataset {urn: $urn})-[:HAS_FIELD]->(n:Field) WHERE EXISTS { (n)-[r:TAGGED]->(t:Entity) WHERE r.deletedAt IS NULL AND t.deletedAt IS NULL AND t.urn IN $tags }
RETURN n.urn AS urn;

// LIST_TEMPLATES
MATCH (n:Entity:MetadataEndpointTemplate)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL AND ($role IS NULL OR n.role = $role)
RETURN properties(n) AS n ORDER BY n.urn;

// LIST_UNITS.count
MATCH (n:Entity:IngestionUnit)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.id = $unitId)
  AND ($sinkId IS NULL OR EXISTS { (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE s.id = $sinkId AND w.deletedAt IS NULL AND s.deletedAt IS NULL }) RETURN count(n) AS total;

// LIST_UNITS.page
MATCH (n:Entity:IngestionUnit)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.id = $unitId)
  AND ($sinkId IS NULL OR EXISTS { (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE s.id = $sinkId AND w.deletedAt IS NULL AND s.deletedAt IS NULL }) AND ($afterUrn IS NULL OR n.urn > $afterUrn)
RETURN properties(n) AS n, COLLECT {
  MATCH (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE w.deletedAt IS NULL AND s.deletedAt IS NULL
  RETURN {endpointId: s.id, target: w.target, writeMode: w.writeMode} ORDER BY s.id
} AS sinks
ORDER BY n.urn LIMIT $limit;

// LOCK_RETENTION
MERGE (l:ChangeLog {id: 'retention'})
SET l.lockedBy = $lockedBy;

// MOVE_LINEAGE_POSITION
MATCH (i:LineageInbox {id: $inbox})
SET i.position = $position, i.fence = $fence
REMOVE i.held;

// NEWEST_VERSIONS
UNWIND $urns AS urn
MATCH (v:Entity {urn: urn})
USING INDEX v:Entity(urn)
WHERE v.deletedAt IS NULL
WITH v, coalesce(v.writtenAt, head(COLLECT {
    MATCH (v)<-[w:WROTE]-(by) WHERE w.deletedAt IS NULL AND by.deletedAt IS NULL AND by.endedAt IS NOT NULL
    RETURN by.endedAt ORDER BY by.endedAt DESC LIMIT 1
  })) AS at
MATCH (v)<-[h:HAS_VERSION]-(d)
WHERE h.deletedAt IS NULL AND NOT EXISTS {
  MATCH (d)-[link:HAS_VERSION]->(other)
  WHERE link.deletedAt IS NULL AND other.deletedAt IS NULL AND other.urn <> v.urn
  WITH v, at, other, coalesce(other.writtenAt, head(COLLECT {
    MATCH (other)<-[w:WROTE]-(by) WHERE w.deletedAt IS NULL AND by.deletedAt IS NULL AND by.endedAt IS NOT NULL
    RETURN by.endedAt ORDER BY by.endedAt DESC LIMIT 1
  })) AS otherAt
  WHERE at IS NULL AND otherAt IS NOT NULL OR otherAt > at
    OR (otherAt = at OR at IS NULL AND otherAt IS NULL) AND other.urn > v.urn
  RETURN other
}
RETURN DISTINCT v.urn AS urn;

// OWN_RUNS
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
WHERE n:IngestionRun
RETURN n.urn AS urn;

// PURGE_ENTITIES
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
DETACH DELETE n;

// READ_CHANGES
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
ORDER BY c.sequence;

// READ_CHANGES_BY_ID
UNWIND $ids AS id
MATCH (c:Change {id: id})
RETURN c.sequence AS sequence, c.id AS id, c.at AS at, c.actor AS actor, c.runId AS runId, c.items AS items;

// READ_CHANGE_SIZES
UNWIND $ids AS id
MATCH (c:Change {id: id})
RETURN c.id AS id, coalesce(c.size, size(c.items)) AS size;

// READ_HEAD
MATCH (l:ChangeLog {id: 'main'})
RETURN l.sequence AS counted, coalesce(head(COLLECT {
  MATCH (c:Change)
  WHERE c.sequence > 0
  RETURN c.sequence
  ORDER BY c.sequence DESC
  LIMIT 1
}), 0) AS sequence;

// READ_LABELS
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN n.urn AS urn, labels(n) AS labels;

// READ_LATEST_CHANGE
MATCH (n:Entity {urn: $urn})
RETURN n.lastChange AS id;

// READ_LINEAGE_POSITION
MATCH (i:LineageInbox {id: $inbox}) RETURN i.position AS position;

// READ_LINEAGE_RECORDS
UNWIND $keys AS key
MATCH (r:LineageRecord {key: key})
RETURN [r.key, r.series, r.first, r.last, r.data] AS record;

// READ_LINEAGE_STRETCHES
UNWIND range(0, size($rows) - 1) AS index
WITH index, $rows[index] AS row
RETURN index,
  COLLECT {
    MATCH (r:LineageRecord)
    WHERE r.series = row.series AND r.first >= row.since AND r.first <= row.to AND r.last >= row.from
    RETURN [r.key, r.series, r.first, r.last, r.data]
  } AS within,
  COLLECT {
    MATCH (r:LineageRecord)
    WHERE r.series = row.series AND r.first > row.to
    RETURN [r.key, r.series, r.first, r.last, r.data] ORDER BY r.series, r.first LIMIT $reach
  } AS after,
  COLLECT {
    MATCH (r:LineageRecord)
    USING INDEX r:LineageRecord(series, last)
    WHERE r.series = row.series AND r.last < row.from
    RETURN [r.key, r.series, r.first, r.last, r.data] ORDER BY r.series DESC, r.last DESC LIMIT $reach
  } AS before
ORDER BY index;

// READ_OLDEST
MATCH (c:Change)
WHERE c.sequence > 0
RETURN c.sequence AS sequence
ORDER BY c.sequence
LIMIT 1;

// READ_OLDEST_CHANGES
MATCH (c:Change)
WHERE c.sequence > 0 AND EXISTS { MATCH (next:Change) WHERE next.sequence > c.sequence }
RETURN c.sequence AS sequence, c.at AS at
ORDER BY c.sequence
LIMIT $limit;

// READ_OLD_LINEAGE_RECORDS
MATCH (r:LineageRecord)
USING INDEX r:LineageRecord(series, first)
WHERE r.series = $series AND r.first >= $afterTime AND r.first < $before
  AND NOT (r.first = $afterTime AND r.key <= $afterKey)
RETURN [r.key, r.series, r.first, r.last, r.data] AS record
ORDER BY r.series, r.first, r.key
LIMIT $limit;

// READ_OLD_VERSIONS
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
ORDER BY urn;

// RECORD_CHANGE
CREATE (c:Change {id: $id, at: $at, actor: $actor, runId: $runId, items: $items, size: $size})
WITH c
MATCH (l:ChangeLog {id: 'main'})
SET l.lockedBy = $id
WITH c, l
SET l.sequence = l.sequence + 1
SET c.sequence = l.sequence
RETURN l.sequence AS sequence;

// REMOVE_CHANGES
MATCH (c:Change)
WHERE c.sequence > 0 AND c.sequence <= $upTo
DELETE c;

// REMOVE_LINEAGE_RECORDS
UNWIND $keys AS key
MATCH (r:LineageRecord {key: key})
DELETE r;

// REWRITE_CHANGES
UNWIND $rows AS row
MATCH (c:Change {id: row.id})
SET c.items = row.items, c.size = row.size;

// RUN_LINEAGE_NODES
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, n.name AS name, labels(n) AS labels, n.placeholder IS NOT NULL AS placeholder,
  n.state AS state, toString(n.startedAt) AS startedAt, toString(n.endedAt) AS endedAt,
  head(COLLECT { MATCH (n)<-[r:HAS_RUN]-(job) WHERE r.deletedAt IS NULL AND job.deletedAt IS NULL RETURN job.urn ORDER BY job.urn LIMIT 1 }) AS job,
  head(COLLECT { MATCH (n)-[r:PART_OF]->(up) WHERE r.deletedAt IS NULL AND up.deletedAt IS NULL RETURN up.urn ORDER BY up.urn LIMIT 1 }) AS parent,
  coalesce(n.root, head(COLLECT { MATCH p = (n)-[:PART_OF*1..20]->(top)
    WHERE all(r IN relationships(p) WHERE r.deletedAt IS NULL) AND all(m IN nodes(p) WHERE m.deletedAt IS NULL) AND top <> n RETURN top.urn ORDER BY length(p) DESC, top.urn LIMIT 1 })) AS root,
  toString(coalesce(n.writtenAt, head(COLLECT {
    MATCH (n)<-[w:WROTE]-(by) WHERE w.deletedAt IS NULL AND by.deletedAt IS NULL AND by.endedAt IS NOT NULL
    RETURN by.endedAt ORDER BY by.endedAt DESC LIMIT 1
  }))) AS writtenAt;

// RUN_LINEAGE_START
MATCH (n:Entity {urn: $urn})
WHERE n.deletedAt IS NULL
RETURN CASE WHEN n.urn STARTS WITH 'nucleus:dataset:' THEN COLLECT {
  MATCH (n)-[h:HAS_VERSION]->(v) WHERE h.deletedAt IS NULL AND v.deletedAt IS NULL
  WITH v, coalesce(v.writtenAt, head(COLLECT {
    MATCH (v)<-[w:WROTE]-(by) WHERE w.deletedAt IS NULL AND by.deletedAt IS NULL AND by.endedAt IS NOT NULL
    RETURN by.endedAt ORDER BY by.endedAt DESC LIMIT 1
  })) AS at
  RETURN v.urn ORDER BY at IS NULL, at DESC, v.urn DESC LIMIT 1
} ELSE [n.urn] END AS starts;

// SET_PROPERTIES
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change};

// TAKE_REQUEST
MERGE (r:WriteRequest {key: $key})
ON CREATE SET r.hash = $hash, r.at = $now
SET r.key = $key
RETURN r.hash AS hash, r.receipt AS receipt;

// WRITE_LINEAGE_RECORDS
UNWIND $rows AS row
MERGE (r:LineageRecord {key: row[0]})
SET r.series = row[1], r.first = row[2], r.last = row[3], r.data = row[4];

// createEdges(FEEDS)
UNWIND range(0, size($urns) - 1) AS place
MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)
WITH place, n
ORDER BY place
WITH collect(n) AS ends
WHERE size(ends) = size($urns)
UNWIND $rows AS row
WITH ends[row[0]] AS a, ends[row[1]] AS b, row[2] AS set
CREATE (a)-[r:FEEDS]->(b)
SET r = set {.*, version: 1, createdAt: $now, updatedAt: $now, lastChange: $change}
RETURN count(r) AS written;

// lineageEdges(DATASET, CURRENT, runs, first part)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
CALL (n) {
  MATCH (n)-[r:FEEDS|PRODUCES]->(m)
  WHERE r.deletedAt IS NULL AND (r.current IS NULL OR r.current)
    AND $places[m.urn] IS NOT NULL
  RETURN m, '' AS via, [coalesce(r.firstRuns[0], '') + ' ' + coalesce(r.lastRuns[-1], '')] AS legs, $places[m.urn] AS other, true AS out
}
WITH $places[urn] AS own, urn, m.urn AS neighbour, via, legs, other, out
WITH via, legs, CASE WHEN own > other THEN own ELSE other END AS later,
  CASE WHEN out THEN urn ELSE neighbour END AS from, CASE WHEN out THEN neighbour ELSE urn END AS to
WHERE later > $afterPlace OR later = $afterPlace AND (from > $afterFrom OR from = $afterFrom
  AND (to > $afterTo OR to = $afterTo AND via > $afterVia))
WITH later, from, to, via, legs
ORDER BY later, from, to, via LIMIT $limit
RETURN from, to, via, legs, later;

// lineageEdges(JOB, AT, whole, later part)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
CALL (n) {
  MATCH (n)<-[p:FEEDS]-(d)
  WHERE (p.deletedAt IS NULL OR p.deletedAt > $atTime)
    AND CASE WHEN p.validFrom IS NULL THEN p.createdAt <= $atTime
      ELSE size([x IN p.validFrom WHERE x <= $at]) > size([x IN coalesce(p.validTo, []) WHERE x <= $at]) END
    AND (d.deletedAt IS NULL OR d.deletedAt > $atTime)
  MATCH (d)<-[f:PRODUCES]-(m)
  WHERE (f.deletedAt IS NULL OR f.deletedAt > $atTime)
    AND CASE WHEN f.validFrom IS NULL THEN f.createdAt <= $atTime
      ELSE size([x IN f.validFrom WHERE x <= $at]) > size([x IN coalesce(f.validTo, []) WHERE x <= $at]) END
    AND $places[m.urn] IS NOT NULL
  RETURN m, d.urn AS via, [reduce(t = '', x IN coalesce(p.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN p.validFrom IS NULL THEN coalesce(' ' + toString(p.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(p.deletedAt), '') + '|' + coalesce(' ' + toString(p.manual), ''), reduce(t = '', x IN coalesce(f.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN f.validFrom IS NULL THEN coalesce(' ' + toString(f.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(f.deletedAt), '') + '|' + coalesce(' ' + toString(f.manual), '')] AS legs, $places[m.urn] AS other, false AS out
  UNION ALL
  MATCH (n)-[p:PRODUCES]->(d)
  WHERE (p.deletedAt IS NULL OR p.deletedAt > $atTime)
    AND CASE WHEN p.validFrom IS NULL THEN p.createdAt <= $atTime
      ELSE size([x IN p.validFrom WHERE x <= $at]) > size([x IN coalesce(p.validTo, []) WHERE x <= $at]) END
    AND (d.deletedAt IS NULL OR d.deletedAt > $atTime)
  MATCH (d)-[f:FEEDS]->(m)
  WHERE (f.deletedAt IS NULL OR f.deletedAt > $atTime)
    AND CASE WHEN f.validFrom IS NULL THEN f.createdAt <= $atTime
      ELSE size([x IN f.validFrom WHERE x <= $at]) > size([x IN coalesce(f.validTo, []) WHERE x <= $at]) END
    AND $places[m.urn] < $first
  RETURN m, d.urn AS via, [reduce(t = '', x IN coalesce(p.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN p.validFrom IS NULL THEN coalesce(' ' + toString(p.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(p.deletedAt), '') + '|' + coalesce(' ' + toString(p.manual), ''), reduce(t = '', x IN coalesce(f.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN f.validFrom IS NULL THEN coalesce(' ' + toString(f.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(f.deletedAt), '') + '|' + coalesce(' ' + toString(f.manual), '')] AS legs, $places[m.urn] AS other, true AS out
}
WITH $places[urn] AS own, urn, m.urn AS neighbour, via, legs, other, out
WITH via, legs, CASE WHEN own > other THEN own ELSE other END AS later,
  CASE WHEN out THEN urn ELSE neighbour END AS from, CASE WHEN out THEN neighbour ELSE urn END AS to
WHERE later > $afterPlace OR later = $afterPlace AND (from > $afterFrom OR from = $afterFrom
  AND (to > $afterTo OR to = $afterTo AND via > $afterVia))
WITH later, from, to, via, legs
ORDER BY later, from, to, via LIMIT $limit
RETURN from, to, via, legs, later;

// lineageHub(DATASET, downstream)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, count { (n)-[:FEEDS]->() } + count { (n)-[:PRODUCES]->() } AS neighbours
ORDER BY neighbours DESC, urn LIMIT 1;

// lineageNear(DATASET, CURRENT, runs, downstream, 6)
MATCH (s:Entity {urn: $urn})
CALL (s) {
  MATCH p = (s)-[:FEEDS|PRODUCES*0..6]->(n)
  WHERE all(r IN relationships(p) WHERE r.deletedAt IS NULL AND (r.current IS NULL OR r.current))
    AND all(m IN nodes(p) WHERE m.deletedAt IS NULL)
  WITH DISTINCT n LIMIT $limit
  RETURN n
}
WITH collect(n) AS found
WHERE size(found) > 0
WITH CASE WHEN size(found) < $limit THEN found ELSE [] END AS found
UNWIND range(0, size(found), 40) AS begin
WITH found, found[begin..begin + 40] AS part
RETURN [n IN part | n.urn] AS urns, [n IN part | n.name] AS names, [n IN part | reduce(t = '', label IN labels(n) | t + '\n' + label)] AS labels, [n IN part | n.placeholder IS NOT NULL] AS placeholders, [n IN part | null] AS deletions, [n IN part | COLLECT {
  MATCH (n)-[r:FEEDS|PRODUCES]->(m)
  WHERE r.deletedAt IS NULL AND (r.current IS NULL OR r.current)
    AND m IN found
  RETURN m.urn + '\n' + '' + '\n' + coalesce(r.firstRuns[0], '') + ' ' + coalesce(r.lastRuns[-1], '')
}] AS edges;

// lineageNear(FIELD, EVER, ends, upstream, 3)
MATCH (s:Entity {urn: $urn})
CALL (s) {
  MATCH p = (s)<-[:DERIVES*0..3]-(n)
  WHERE all(r IN relationships(p) WHERE true)
    AND all(m IN nodes(p) WHERE true)
  WITH DISTINCT n LIMIT $limit
  RETURN n
}
WITH collect(n) AS found
WHERE size(found) > 0
WITH CASE WHEN size(found) < $limit THEN found ELSE [] END AS found
UNWIND range(0, size(found), 40) AS begin
WITH found, found[begin..begin + 40] AS part
RETURN [n IN part | n.urn] AS urns, [n IN part | n.name] AS names, [n IN part | reduce(t = '', label IN labels(n) | t + '\n' + label)] AS labels, [n IN part | n.placeholder IS NOT NULL] AS placeholders, [n IN part | toString(n.deletedAt)] AS deletions, [n IN part | COLLECT {
  MATCH (n)<-[r:DERIVES]-(m)
  WHERE true
    AND m IN found
  RETURN m.urn + '\n' + coalesce(r.via, '')
}] AS edges;

// lineageNear(JOB, AT, whole, both, any)
MATCH (s:Entity {urn: $urn})
CALL (s) {
  MATCH p = (s)-[:FEEDS|PRODUCES*0..]->(n)
  WHERE all(r IN relationships(p) WHERE (r.deletedAt IS NULL OR r.deletedAt > $atTime)
    AND CASE WHEN r.validFrom IS NULL THEN r.createdAt <= $atTime
      ELSE size([x IN r.validFrom WHERE x <= $at]) > size([x IN coalesce(r.validTo, []) WHERE x <= $at]) END)
    AND all(m IN nodes(p) WHERE (m.deletedAt IS NULL OR m.deletedAt > $atTime))
  WITH DISTINCT n LIMIT $limit
  RETURN n
  UNION
  MATCH p = (s)<-[:FEEDS|PRODUCES*0..]-(n)
  WHERE all(r IN relationships(p) WHERE (r.deletedAt IS NULL OR r.deletedAt > $atTime)
    AND CASE WHEN r.validFrom IS NULL THEN r.createdAt <= $atTime
      ELSE size([x IN r.validFrom WHERE x <= $at]) > size([x IN coalesce(r.validTo, []) WHERE x <= $at]) END)
    AND all(m IN nodes(p) WHERE (m.deletedAt IS NULL OR m.deletedAt > $atTime))
  WITH DISTINCT n LIMIT $limit
  RETURN n
}
WITH collect(n) AS found
WHERE size(found) > 0
WITH CASE WHEN size(found) < $limit THEN found ELSE [] END AS found
UNWIND range(0, size(found), 40) AS begin
WITH found, found[begin..begin + 40] AS part
RETURN [n IN part | n.urn] AS urns, [n IN part | n.name] AS names, [n IN part | reduce(t = '', label IN labels(n) | t + '\n' + label)] AS labels, [n IN part | n.placeholder IS NOT NULL] AS placeholders, [n IN part | toString(n.deletedAt)] AS deletions, [n IN part | COLLECT {
  MATCH (n)-[p:PRODUCES]->(d)
  WHERE (p.deletedAt IS NULL OR p.deletedAt > $atTime)
    AND CASE WHEN p.validFrom IS NULL THEN p.createdAt <= $atTime
      ELSE size([x IN p.validFrom WHERE x <= $at]) > size([x IN coalesce(p.validTo, []) WHERE x <= $at]) END
    AND (d.deletedAt IS NULL OR d.deletedAt > $atTime)
  MATCH (d)-[f:FEEDS]->(m)
  WHERE (f.deletedAt IS NULL OR f.deletedAt > $atTime)
    AND CASE WHEN f.validFrom IS NULL THEN f.createdAt <= $atTime
      ELSE size([x IN f.validFrom WHERE x <= $at]) > size([x IN coalesce(f.validTo, []) WHERE x <= $at]) END
    AND m IN found
  RETURN m.urn + '\n' + d.urn + '\n' + reduce(t = '', x IN coalesce(p.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(p.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN p.validFrom IS NULL THEN coalesce(' ' + toString(p.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(p.deletedAt), '') + '|' + coalesce(' ' + toString(p.manual), '') + '\n' + reduce(t = '', x IN coalesce(f.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(f.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN f.validFrom IS NULL THEN coalesce(' ' + toString(f.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(f.deletedAt), '') + '|' + coalesce(' ' + toString(f.manual), '')
}] AS edges;

// lineagePaths(DATASET, CURRENT, 60)
MATCH (a:Entity {urn: $from})
USING INDEX a:Entity(urn)
MATCH (b:Entity {urn: $to})
USING INDEX b:Entity(urn)
MATCH p = allShortestPaths((a)-[:FEEDS|PRODUCES*..60]->(b))
WHERE all(r IN relationships(p) WHERE r.deletedAt IS NULL AND (r.current IS NULL OR r.current))
  AND all(n IN nodes(p) WHERE n.deletedAt IS NULL)
WITH p LIMIT $limit
RETURN [n IN nodes(p) | n.urn] AS urns, [r IN relationships(p) | coalesce(r.via, '')] AS vias,
  [r IN relationships(p) | reduce(t = '', x IN coalesce(r.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(r.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(r.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(r.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN r.validFrom IS NULL THEN coalesce(' ' + toString(r.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(r.deletedAt), '') + '|' + coalesce(' ' + toString(r.manual), '')] AS legs;

// lineagePaths(FIELD, AT, 30)
MATCH (a:Entity {urn: $from})
USING INDEX a:Entity(urn)
MATCH (b:Entity {urn: $to})
USING INDEX b:Entity(urn)
MATCH p = allShortestPaths((a)-[:DERIVES*..30]->(b))
WHERE all(r IN relationships(p) WHERE (r.deletedAt IS NULL OR r.deletedAt > $atTime)
    AND CASE WHEN r.validFrom IS NULL THEN r.createdAt <= $atTime
      ELSE size([x IN r.validFrom WHERE x <= $at]) > size([x IN coalesce(r.validTo, []) WHERE x <= $at]) END)
  AND all(n IN nodes(p) WHERE (n.deletedAt IS NULL OR n.deletedAt > $atTime))
WITH p LIMIT $limit
RETURN [n IN nodes(p) | n.urn] AS urns, [r IN relationships(p) | coalesce(r.via, '')] AS vias,
  [r IN relationships(p) | reduce(t = '', x IN coalesce(r.validFrom, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(r.validTo, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(r.firstRuns, []) | t + ' ' + x) + '|' + reduce(t = '', x IN coalesce(r.lastRuns, []) | t + ' ' + x) + '|' + CASE WHEN r.validFrom IS NULL THEN coalesce(' ' + toString(r.createdAt), '') ELSE '' END + '|' + coalesce(' ' + toString(r.deletedAt), '') + '|' + coalesce(' ' + toString(r.manual), '')] AS legs;

// lineageStart(DATASET, CURRENT)
MATCH (n:Entity {urn: $urn})
WHERE n.deletedAt IS NULL
RETURN [n.urn] AS starts;

// lineageStart(FIELD, AT)
MATCH (n:Entity {urn: $urn})
WHERE (n.deletedAt IS NULL OR n.deletedAt > $atTime)
RETURN CASE WHEN n:Field OR n.urn STARTS WITH 'nucleus:field:' THEN [n.urn] ELSE COLLECT {
  MATCH (n)-[h:HAS_FIELD]->(f) WHERE (h.deletedAt IS NULL OR h.deletedAt > $atTime)
    AND CASE WHEN h.validFrom IS NULL THEN h.createdAt <= $atTime
      ELSE size([x IN h.validFrom WHERE x <= $at]) > size([x IN coalesce(h.validTo, []) WHERE x <= $at]) END AND (f.deletedAt IS NULL OR f.deletedAt > $atTime)
  RETURN f.urn
} END AS starts;

// lineageStep(DATASET, CURRENT, downstream)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)-[r:FEEDS|PRODUCES]->(m)
WHERE r.deletedAt IS NULL AND (r.current IS NULL OR r.current)
  AND m.deletedAt IS NULL
WITH DISTINCT m
RETURN collect(m.urn) AS urns;

// lineageStep(FIELD, AT, upstream)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)<-[r:DERIVES]-(m)
WHERE (r.deletedAt IS NULL OR r.deletedAt > $atTime)
    AND CASE WHEN r.validFrom IS NULL THEN r.createdAt <= $atTime
      ELSE size([x IN r.validFrom WHERE x <= $at]) > size([x IN coalesce(r.validTo, []) WHERE x <= $at]) END
  AND (m.deletedAt IS NULL OR m.deletedAt > $atTime)
WITH DISTINCT m
RETURN collect(m.urn) AS urns;

// readHeld(nodes)
UNWIND range(0, size($urns) - 1) AS place
OPTIONAL MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)
WITH place, $asked[place] AS asked, n
WHERE n IS NULL AND asked IS NULL OR n IS NOT NULL AND (asked IS NOT NULL OR n.version = 0 OR n.deletedAt IS NOT NULL)
WITH place, asked, properties(n) AS held
RETURN null AS group, place, CASE WHEN held IS NULL THEN null ELSE [key IN $keys[coalesce(asked, 'own')] | held[key]] END AS values;

// readHeld(nodes, FEEDS and READ, locked)
UNWIND range(0, size($urns) - 1) AS place
OPTIONAL MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)
SET n.urn = $urns[place]
WITH place, n
ORDER BY place
WITH collect([n]) AS nodes
CALL (nodes) {
  UNWIND range(0, size($urns) - 1) AS place
  WITH place, $asked[place] AS asked, nodes[place][0] AS n
WHERE n IS NULL AND asked IS NULL OR n IS NOT NULL AND (asked IS NOT NULL OR n.version = 0 OR n.deletedAt IS NOT NULL)
WITH place, asked, properties(n) AS held
RETURN null AS group, place, CASE WHEN held IS NULL THEN null ELSE [key IN $keys[coalesce(asked, 'own')] | held[key]] END AS values
  UNION ALL
  UNWIND range(0, size($edges[0].from) - 1) AS place
  WITH place, nodes[$edges[0].from[place]][0] AS a, nodes[$edges[0].to[place]][0] AS b
  MATCH (a)-[r:FEEDS]->(b)
  WITH place, properties(r) AS held
  RETURN 0 AS group, place, [key IN $keys[$edges[0].keys[place]] | held[key]] AS values
  UNION ALL
  UNWIND range(0, size($edges[1].from) - 1) AS place
  WITH place, nodes[$edges[1].from[place]][0] AS a, nodes[$edges[1].to[place]][0] AS b
  MATCH (a)-[r:READ]->(b)
  WITH place, properties(r) AS held
  RETURN 1 AS group, place, [key IN $keys[$edges[1].keys[place]] | held[key]] AS values
}
RETURN group, place, values;

// readHeld(nodes, locked)
UNWIND range(0, size($urns) - 1) AS place
OPTIONAL MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)
SET n.urn = $urns[place]
WITH place, $asked[place] AS asked, n
WHERE n IS NULL AND asked IS NULL OR n IS NOT NULL AND (asked IS NOT NULL OR n.version = 0 OR n.deletedAt IS NOT NULL)
WITH place, asked, properties(n) AS held
RETURN null AS group, place, CASE WHEN held IS NULL THEN null ELSE [key IN $keys[coalesce(asked, 'own')] | held[key]] END AS values;

// runLineageEdges(downstream, later part)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
CALL (n) {
  MATCH (n)-[r:WROTE]->(m)
  WHERE r.deletedAt IS NULL
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE other IS NOT NULL
  RETURN m, facets, other, true AS out
  UNION ALL
  MATCH (n)<-[r:READ]-(m)
  WHERE r.deletedAt IS NULL
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE other IS NOT NULL
  RETURN m, facets, other, true AS out
  UNION ALL
  MATCH (n)-[r:READ]->(m)
  WHERE r.deletedAt IS NULL
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE other < $first
  RETURN m, facets, other, false AS out
  UNION ALL
  MATCH (n)<-[r:WROTE]-(m)
  WHERE r.deletedAt IS NULL
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE other < $first
  RETURN m, facets, other, false AS out
}
WITH $places[urn] AS own, urn, m.urn AS neighbour, facets, other, out
WITH facets, CASE WHEN own > other THEN own ELSE other END AS later,
  CASE WHEN out THEN urn ELSE neighbour END AS from, CASE WHEN out THEN neighbour ELSE urn END AS to
WHERE later > $afterPlace OR later = $afterPlace AND (from > $afterFrom OR from = $afterFrom AND to > $afterTo)
WITH later, from, to, facets
ORDER BY later, from, to LIMIT $limit
RETURN from, to, facets, later;

// runLineageEdges(upstream, first part)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
CALL (n) {
  MATCH (n)-[r:READ]->(m)
  WHERE r.deletedAt IS NULL
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE other IS NOT NULL
  RETURN m, facets, other, false AS out
  UNION ALL
  MATCH (n)<-[r:WROTE]-(m)
  WHERE r.deletedAt IS NULL
  WITH m, r.facets AS facets, $places[m.urn] AS other
  WHERE other IS NOT NULL
  RETURN m, facets, other, false AS out
}
WITH $places[urn] AS own, urn, m.urn AS neighbour, facets, other, out
WITH facets, CASE WHEN own > other THEN own ELSE other END AS later,
  CASE WHEN out THEN urn ELSE neighbour END AS from, CASE WHEN out THEN neighbour ELSE urn END AS to
WHERE later > $afterPlace OR later = $afterPlace AND (from > $afterFrom OR from = $afterFrom AND to > $afterTo)
WITH later, from, to, facets
ORDER BY later, from, to LIMIT $limit
RETURN from, to, facets, later;

// runLineageHub(VERSION, downstream)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN urn, count { (n)<-[:READ]-() } AS neighbours
ORDER BY neighbours DESC, urn LIMIT 1;

// runLineageStep(RUN, downstream)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)-[r:WROTE]->(m)
WHERE r.deletedAt IS NULL
  AND m.deletedAt IS NULL
WITH DISTINCT m
RETURN collect(m.urn) AS urns;

// runLineageStep(VERSION, upstream)
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
MATCH (n)<-[r:WROTE]-(m)
WHERE r.deletedAt IS NULL
  AND m.deletedAt IS NULL
WITH DISTINCT m
RETURN collect(m.urn) AS urns;

// updateEdges(FEEDS)
UNWIND range(0, size($urns) - 1) AS place
MATCH (n:Entity {urn: $urns[place]})
USING INDEX n:Entity(urn)
WITH place, n
ORDER BY place
WITH collect(n) AS ends
WHERE size(ends) = size($urns)
UNWIND $rows AS row
WITH ends[row[0]] AS a, ends[row[1]] AS b, row
MATCH (a)-[r:FEEDS]->(b)
WITH r, row[2] AS set, row[3] AS version
SET r += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}
RETURN count(r) AS written;

// updateEntities(Checkpoint)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Checkpoint;

// updateEntities(Dataset)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Dataset;

// updateEntities(DatasetVersion)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:DatasetVersion;

// updateEntities(Domain)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Domain;

// updateEntities(EndpointTest)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:EndpointTest;

// updateEntities(Field)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Field;

// updateEntities(File)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:File;

// updateEntities(GlossaryTerm)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:GlossaryTerm;

// updateEntities(IngestionRun)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:IngestionRun:Run;

// updateEntities(IngestionUnit)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:IngestionUnit:Job;

// updateEntities(IngestionUnitState)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:IngestionUnitState;

// updateEntities(Issue)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Issue;

// updateEntities(Job)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Job;

// updateEntities(KindDefinition)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:KindDefinition;

// updateEntities(MetadataCollection)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:MetadataCollection;

// updateEntities(MetadataEndpoint)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:MetadataEndpoint;

// updateEntities(MetadataEndpointTemplate)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:MetadataEndpointTemplate;

// updateEntities(Owner)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Owner;

// updateEntities(Page)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Page;

// updateEntities(Person)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Person;

// updateEntities(Project)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Project;

// updateEntities(Run)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Run;

// updateEntities(Space)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Space;

// updateEntities(Tag)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Tag;
