const IS_TAGGED = `EXISTS { (n)-[r:TAGGED]->(t:Entity) WHERE r.deletedAt IS NULL AND t.deletedAt IS NULL AND t.urn IN $tags }`;

/**
 * What is tagged of one data set: the set itself, and columns of it. Deleted columns count, and tags that were only named so far: a tag
 * is worth more than a collection that has missed one. Parameters: `urn` of the data set, `columns` that it is known to have and `tags`, all as urns.
 */
export const LIST_TAGGED_PARTS = `
UNWIND [$urn] + $columns AS urn
MATCH (n:Entity {urn: urn}) WHERE ${IS_TAGGED}
RETURN n.urn AS urn
UNION
MATCH (:Entity:Dataset {urn: $urn})-[:HAS_FIELD]->(n:Field) WHERE ${IS_TAGGED}
RETURN n.urn AS urn`;
