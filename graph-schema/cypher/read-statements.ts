/** Hidden from every list: what was deleted, and nodes that only an edge has named so far. */
const VISIBLE = 'n.deletedAt IS NULL AND n.placeholder IS NULL';

/**
 * Keyset lists: a page starts after the last key of the page before it, so rows that are added or removed meanwhile never
 * shift it. A filter parameter that is null does not filter.
 */
export interface KeysetStatement {
  readonly page: string;
  readonly count: string;
}

function byUrn(label: string, filters: string, columns = ''): KeysetStatement {
  const match = `MATCH (n:Entity:${label})\nWHERE ${VISIBLE}${filters}`;
  return {
    page: `${match} AND ($afterUrn IS NULL OR n.urn > $afterUrn)
RETURN properties(n) AS n${columns}
ORDER BY n.urn LIMIT $limit`,
    count: `${match} RETURN count(n) AS total`,
  };
}

const SINKS = `, COLLECT {
  MATCH (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE w.deletedAt IS NULL AND s.deletedAt IS NULL
  RETURN {endpointId: s.id, target: w.target, writeMode: w.writeMode} ORDER BY s.id
} AS sinks`;

/** One entity by its urn, by way of the uniqueness index; `sinks` is empty for everything but a unit. Parameters: `urn`. */
export const FIND_BY_URN = `
MATCH (n:Entity {urn: $urn})
WHERE ${VISIBLE}
RETURN properties(n) AS n${SINKS}`;

/** Parameters: `role`. */
export const LIST_TEMPLATES = `
MATCH (n:Entity:MetadataEndpointTemplate)
WHERE ${VISIBLE} AND ($role IS NULL OR n.role = $role)
RETURN properties(n) AS n ORDER BY n.urn`;

/** Parameters: `ids`, `role`, `afterUrn`, `limit`. */
export const LIST_ENDPOINTS = byUrn(
  'MetadataEndpoint',
  `
  AND ($ids IS NULL OR n.id IN $ids) AND ($role IS NULL OR n.role = $role)`,
);

/** Parameters: `endpointId`, `unitId`, `sinkId`, `afterUrn`, `limit`; `sinkId` finds the units that write to an endpoint. */
export const LIST_UNITS = byUrn(
  'IngestionUnit',
  `
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.id = $unitId)
  AND ($sinkId IS NULL OR EXISTS { (n)-[w:WRITES_TO]->(s:MetadataEndpoint) WHERE s.id = $sinkId AND w.deletedAt IS NULL AND s.deletedAt IS NULL })`,
  SINKS,
);

/** Parameters: `endpointId`, `unitId`, `state`, `afterUrn`, `limit`. */
export const LIST_STATUSES = byUrn(
  'IngestionUnitState',
  `
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.unitId = $unitId)
  AND ($state IS NULL OR n.state = $state)`,
);

/** Latest first. Parameters: `endpointId`, `afterStartedAt`, `afterUrn`, `limit`. */
export const LIST_ENDPOINT_TESTS = latestFirst('EndpointTest');

/** Latest first. Parameters as those of LIST_ENDPOINT_TESTS. */
export const LIST_COLLECTIONS = latestFirst('MetadataCollection');

/**
 * Data sets that collections from one endpoint have brought, with their columns, of those whose urns begin with `prefix`. Parameters:
 * `endpoint` as urn, `prefix`, `afterUrn`, `limit`.
 */
export const LIST_COLLECTED: KeysetStatement = collected();

function collected(): KeysetStatement {
  const match = `
MATCH (:Entity:MetadataEndpoint {urn: $endpoint})-[c:COLLECTED]->(n:Entity:Dataset)
WHERE c.deletedAt IS NULL AND ${VISIBLE} AND n.urn STARTS WITH $prefix`;
  return {
    page: `${match} AND ($afterUrn IS NULL OR n.urn > $afterUrn)
WITH n ORDER BY n.urn LIMIT $limit
RETURN properties(n) AS n, COLLECT {
  MATCH (n)-[h:HAS_FIELD]->(f:Field) WHERE h.deletedAt IS NULL AND f.deletedAt IS NULL AND f.placeholder IS NULL
  RETURN f.urn
} AS fields ORDER BY n.urn`,
    count: `${match} RETURN count(n) AS total`,
  };
}

/** What was done with one endpoint, by label; each node has `endpointId` and `startedAt`. */
function latestFirst(label: string): KeysetStatement {
  const match = `
MATCH (n:Entity:${label} {endpointId: $endpointId})
WHERE ${VISIBLE}`;
  return {
    page: `${match} AND ($afterUrn IS NULL OR n.startedAt < $afterStartedAt OR (n.startedAt = $afterStartedAt AND n.urn < $afterUrn))
RETURN properties(n) AS n
ORDER BY n.startedAt DESC, n.urn DESC LIMIT $limit`,
    count: `${match} RETURN count(n) AS total`,
  };
}

const RUNS = `
MATCH (n:Entity:IngestionRun)
WHERE ${VISIBLE}
  AND ($endpointId IS NULL OR n.endpointId = $endpointId) AND ($unitId IS NULL OR n.unitId = $unitId)
  AND ($runId IS NULL OR n.id = $runId)`;

/**
 * Latest first; a run that ended before it began stands where it was recorded, because a null has no place in an order.
 * Parameters: `endpointId`, `unitId`, `runId`, `afterStartedAt`, `afterUrn`, `limit`.
 */
export const LIST_RUNS: KeysetStatement = {
  page: `${RUNS}
WITH n, coalesce(n.startedAt, n.createdAt) AS at
WHERE $afterUrn IS NULL OR at < $afterStartedAt OR (at = $afterStartedAt AND n.urn < $afterUrn)
RETURN properties(n) AS n
ORDER BY at DESC, n.urn DESC LIMIT $limit`,
  count: `${RUNS} RETURN count(n) AS total`,
};
