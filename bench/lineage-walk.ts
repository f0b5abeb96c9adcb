import type { Driver } from 'neo4j-driver';

/** The answer of a walk, as far as it tells whether two sides have done the same. */
export interface Walked {
  readonly nodes: number;
  readonly edges: number;
}

const LINEAGE = `query ($urn: ID!, $depth: Int, $maxNodes: Int!, $maxEdges: Int!) {
  lineage(urn: $urn, depth: $depth, maxNodes: $maxNodes, maxEdges: $maxEdges) {
    nodes { urn name kind depth }
    edges { kind from to firstRun lastRun }
    truncated { reason }
  }
}`;

/** @throws Error when the answer is not whole */
export async function walkByGraphql(
  url: string,
  variables: { urn: string; depth: number | null; maxNodes: number; maxEdges: number },
): Promise<Walked> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: LINEAGE, variables }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { lineage: { nodes: unknown[]; edges: unknown[]; truncated: unknown } };
    errors?: unknown;
  };
  if (data === undefined || data.lineage.truncated !== null) {
    throw new Error(`no whole answer: ${JSON.stringify(errors ?? data?.lineage.truncated)}`);
  }
  return { nodes: data.lineage.nodes.length, edges: data.lineage.edges.length };
}

/**
 * What somebody writes who knows Cypher and this graph: a bounded pattern with distinct ends, which is planned as a breadth-first
 * search, and the edges among what was found. It tells no depths.
 */
const byHand = (depth: number): string => `
MATCH (s:Entity {urn: $urn})
CALL (s) {
  MATCH p = (s)-[:FEEDS|PRODUCES*0..${2 * depth}]->(n)
  WHERE all(r IN relationships(p) WHERE r.current)
  RETURN DISTINCT n
}
WITH collect(n) AS found
RETURN [n IN found | [n.urn, n.name, labels(n)]] AS nodes, COLLECT {
  UNWIND found AS n
  MATCH (n)-[r:FEEDS|PRODUCES]->(m)
  WHERE r.current AND m IN found
  RETURN [type(r), n.urn, m.urn, r.firstRuns[0], r.lastRuns[-1]]
} AS edges`;

export async function walkByDriver(driver: Driver, urn: string, depth: number): Promise<Walked> {
  const session = driver.session({ defaultAccessMode: 'READ' });
  try {
    const { records } = await session.executeRead((tx) => tx.run(byHand(depth), { urn }));
    return { nodes: records[0]?.get('nodes').length ?? 0, edges: records[0]?.get('edges').length ?? 0 };
  } finally {
    await session.close();
  }
}
