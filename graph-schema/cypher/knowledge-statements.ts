/** Kinds that users have defined. */
export const LIST_DEFINED_KINDS = `
MATCH (n:Entity:KindDefinition)
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
RETURN properties(n) AS n ORDER BY n.urn`;

/** Nodes by urn, deleted ones and placeholders too. Parameters: `urns`. */
export const FIND_NODES = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
RETURN properties(n) AS n, labels(n) AS labels`;

/** Versions of nodes, 0 for placeholders. Parameters: `urns`. */
export const FIND_VERSIONS = `
UNWIND $urns AS urn
MATCH (n:Entity {urn: urn})
RETURN n.urn AS urn, n.version AS version`;

/** Versions of edges. Parameters: `rows` of { kind, from, to }. */
export const FIND_EDGE_VERSIONS = `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
MATCH (b:Entity {urn: row.to})
MATCH (a)-[r]->(b) WHERE type(r) = row.kind
RETURN row.kind AS kind, row.from AS from, row.to AS to, r.version AS version`;

/** Ends of the links of one kind that leave some nodes, those to deleted nodes and placeholders too. Parameters: `urns`, `kind`. */
export const FIND_LINK_ENDS = `
UNWIND $urns AS urn
MATCH (:Entity {urn: urn})-[r]->(m:Entity) WHERE type(r) = $kind AND r.deletedAt IS NULL
RETURN urn AS from, m.urn AS to ORDER BY from, to`;

const ENTITIES = `
MATCH (n:Entity)
USING INDEX n:Entity(urn)
WHERE n.urn > $after AND n.urn < $end
  AND ($label IS NULL OR $label IN labels(n))
  AND n.deletedAt IS NULL AND n.placeholder IS NULL`;

/**
 * Entities by urn. The urns of one kind lie next to each other, so the range is read in the order of the index and no
 * further than the page needs. Parameters: `after`, `end` (both exclusive), `label`, `limit`.
 */
export const LIST_ENTITIES = {
  page: `${ENTITIES}
WITH n ORDER BY n.urn LIMIT $limit
RETURN properties(n) AS n, labels(n) AS labels
ORDER BY n.urn`,
  count: `${ENTITIES} RETURN count(n) AS total`,
} as const;

const LINKS = `
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
    AND r.deletedAt IS NULL AND m.deletedAt IS NULL AND m.placeholder IS NULL`;

/**
 * Links of entities to visible ones, a page of each; one to itself is there in both directions.
 * Parameters: `urns`, `kinds`, `out`, `in`, `afterKind`, `afterDirection`, `afterUrn`, `limit`.
 */
export const LIST_LINKS = {
  page: `${LINKS}
    AND ($afterKind IS NULL OR kind > $afterKind
      OR (kind = $afterKind AND (direction > $afterDirection OR (direction = $afterDirection AND m.urn > $afterUrn))))
  RETURN r, m, direction, kind ORDER BY kind, direction, m.urn LIMIT $limit
}
RETURN urn, properties(r) AS r, kind, direction, properties(m) AS n, labels(m) AS labels
ORDER BY urn, kind, direction, n.urn`,
  count: `${LINKS}
  RETURN count(r) AS total
}
RETURN urn, total`,
} as const;

/** Returns when searches see all that was committed before: the index is brought up to date behind the commits. */
export const AWAIT_SEARCH_INDEX = 'CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()';

/**
 * Full-text search, best first. Parameters: `query` in the syntax of Lucene, `labels`, `afterScore`, `afterUrn`, `limit`.
 */
export const SEARCH_ENTITIES = `
CALL db.index.fulltext.queryNodes('entity_text', $query) YIELD node AS n, score
WITH n, score
WHERE n.deletedAt IS NULL AND n.placeholder IS NULL
  AND ($labels IS NULL OR any(label IN labels(n) WHERE label IN $labels))
  AND ($afterScore IS NULL OR score < $afterScore OR (score = $afterScore AND n.urn > $afterUrn))
WITH n, score ORDER BY score DESC, n.urn LIMIT $limit
RETURN properties(n) AS n, labels(n) AS labels, score
ORDER BY score DESC, n.urn`;
