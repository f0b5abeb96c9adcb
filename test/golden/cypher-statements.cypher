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

// LATEST_CHANGES
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
OPTIONAL MATCH (n)-[r]-()
WITH n, collect(DISTINCT r.lastChange) AS changes
UNWIND changes + [n.lastChange] AS change
WITH DISTINCT change WHERE change IS NOT NULL
RETURN change;

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
MATCH (l:ChangeLog {id: 'main'}) RETURN l.sequence AS sequence;

// READ_LABELS
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
USING INDEX n:Entity(urn)
RETURN n.urn AS urn, labels(n) AS labels;

// READ_LATEST_CHANGE
MATCH (n:Entity {urn: $urn})
RETURN n.lastChange AS id;

// READ_OLDEST
MATCH (c:Change)
WHERE c.sequence > 0
RETURN c.sequence AS sequence
ORDER BY c.sequence
LIMIT 1;

// READ_OLDEST_CHANGES
MATCH (l:ChangeLog {id: 'main'})
MATCH (c:Change)
WHERE c.sequence > 0 AND c.sequence < l.sequence
RETURN c.sequence AS sequence, c.at AS at
ORDER BY c.sequence
LIMIT $limit;

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

// REWRITE_CHANGES
UNWIND $rows AS row
MATCH (c:Change {id: row.id})
SET c.items = row.items, c.size = row.size;

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

// updateEntities(Field)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Field;

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

// updateEntities(Run)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Run;

// updateEntities(Tag)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
USING INDEX n:Entity(urn)
WITH n, row.version AS version, row.set AS set
SET n += set {.*, version: toInteger(version), updatedAt: $now, lastChange: $change}, n:Tag;
