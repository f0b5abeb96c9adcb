/**
 * A deep link that opens Neo4j Browser with a query in its editor, ready to run. The Browser decodes `%20` but not `+`, so
 * the query string is written by hand. It takes the text up to an ampersand or hash mark of it, which no urn holds.
 *
 * @param browserUrl address of the Browser, for instance `http://127.0.0.1:7474/browser/`
 * @param connectTo user and address that the Browser offers to connect to, for instance `bolt://neo4j@127.0.0.1:7687`
 */
export function browserLink(browserUrl: string, cypher: string, connectTo?: string): string {
  return link(browserUrl, { ...(connectTo === undefined ? {} : { dbms: connectTo }), cmd: 'edit', arg: cypher });
}

/**
 * A deep link that opens Neo4j Browser with the guide of a server of Nucleus. It names a server on loopback `localhost`: before
 * it has connected, when it does not know the settings of Neo4j, the Browser takes guides from that name alone.
 *
 * @param serverUrl address of the server, for instance `http://127.0.0.1:4000`
 * @param connectTo as above
 */
export function guideLink(browserUrl: string, serverUrl: string, connectTo?: string): string {
  const guide = new URL('/browser/guide.html', serverUrl);
  if (guide.hostname === '127.0.0.1') guide.hostname = 'localhost';
  return link(browserUrl, { ...(connectTo === undefined ? {} : { dbms: connectTo }), cmd: 'play', arg: guide.href });
}

function link(browserUrl: string, parameters: Readonly<Record<string, string>>): string {
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${browserUrl}?${query.join('&')}`;
}

/** Quotes a text as a Cypher string literal, for queries that a person will run by hand. */
export function cypherString(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

/** The neighbourhood of one entity: what its `browserUrl` opens. */
export function entityQuery(urn: string): string {
  return `MATCH (n:Entity {urn: ${cypherString(urn)}}) OPTIONAL MATCH path = (n)-[*1..2]-(:Entity) RETURN n, path LIMIT 200`;
}
