// FIND_BY_URN
MATCH (n:Entity {urn: $urn})
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
RETURN properties(n) AS n, COLLECT {
  MATCH (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE w.deletedAt IS NULL AND s.deletedAt IS NULL
  RETURN {endpointId: s.id, target: w.target, writeMode: w.writeMode} ORDER BY s.id
} AS sinks;

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

// LOCK_ENTITIES
UNWIND $urns AS urn
MERGE (n:Entity {urn: urn})
ON CREATE SET n.version = 0, n.createdAt = $now, n.updatedAt = $now, n.placeholder = true, n.name = urn
SET n.urn = urn
RETURN n.urn AS urn, properties(n) AS properties;

// NEXT_SEQUENCE
MATCH (l:ChangeLog {id: 'main'})
SET l.lockedBy = $lockedBy
WITH l
SET l.sequence = l.sequence + 1
RETURN l.sequence AS sequence;

// READ_CHANGES
MATCH (c:Change)
WHERE c.sequence > $after AND c.sequence <= $upTo
RETURN c.sequence AS sequence, c.at AS at, c.actor AS actor, c.runId AS runId, c.items AS items
ORDER BY c.sequence
LIMIT $limit;

// READ_HEAD
MATCH (l:ChangeLog {id: 'main'}) RETURN l.sequence AS sequence;

// RECORD_CHANGE
CREATE (:Change {sequence: $sequence, at: $at, actor: $actor, runId: $runId, urns: $urns, items: $items});

// lockEdges(FEEDS)
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
MATCH (b:Entity {urn: row.to})
MERGE (a)-[r:FEEDS]->(b)
ON CREATE SET r.version = 0, r.createdAt = $now, r.updatedAt = $now
SET r.version = r.version
RETURN row.from AS from, row.to AS to, properties(r) AS properties;

// lockExistingEdges(FEEDS)
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})-[r:FEEDS]->(b:Entity {urn: row.to})
SET r.version = r.version
RETURN row.from AS from, row.to AS to, properties(r) AS properties;

// writeEdges(FEEDS)
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})-[r:FEEDS]->(b:Entity {urn: row.to})
SET r += row.set;

// writeEntities(Checkpoint)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:Checkpoint;

// writeEntities(Dataset)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:Dataset;

// writeEntities(DatasetVersion)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:DatasetVersion;

// writeEntities(IngestionRun)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:IngestionRun:Run;

// writeEntities(IngestionUnit)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:IngestionUnit:Job;

// writeEntities(IngestionUnitState)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:IngestionUnitState;

// writeEntities(MetadataEndpoint)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:MetadataEndpoint;

// writeEntities(MetadataEndpointTemplate)
UNWIND $rows AS row
MATCH (n:Entity {urn: row.urn})
SET n += row.set, n:MetadataEndpointTemplate;
