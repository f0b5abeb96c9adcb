/**
 * A deep link that opens Neo4j Browser with a query in its editor, ready to run.
 *
 * @param browserUrl address of the Browser, for instance `http://127.0.0.1:7474/browser/`
 */
export function browserLink(browserUrl: string, cypher: string): string {
  const url = new URL(browserUrl);
  url.searchParams.set('cmd', 'edit');
  url.searchParams.set('arg', cypher);
  return url.toString();
}

/** Quotes a text as a Cypher string literal, for queries that a person will run by hand. */
export function cypherString(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

/** The neighbourhood of one entity: what its `browserUrl` opens. */
export function entityQuery(urn: string): string {
  return `MATCH (n:Entity {urn: ${cypherString(urn)}}) OPTIONAL MATCH path = (n)-[*1..2]-(:Entity) RETURN n, path LIMIT 200`;
}
