import { browserLink, guideLink } from '#graph-schema';
import type { LaunchedStack } from '../start/launch-stack.js';
import { SOURCE_ID } from './demo-catalog.js';

/** Where a person can look on; undefined for what runs elsewhere, whose pages only its owner knows. */
export interface Addresses {
  readonly graphiql: string;
  readonly neo4jBrowser: string | undefined;
  readonly neo4jGuide: string | undefined;
  readonly temporalUi: string | undefined;
}

/** Data sets that a unit of the demo reads, the unit, and what it makes. */
const LINEAGE = `MATCH lineage = (:Dataset)-[:FEEDS]->(unit:IngestionUnit)-[:PRODUCES]->(:Dataset)
WHERE unit.name STARTS WITH '${SOURCE_ID}/'
RETURN lineage`;

/** Links into Neo4j Browser, which then offers to connect to the graph of the stack. */
function browserLinks({ neo4j, apiUrl }: LaunchedStack): Pick<Addresses, 'neo4jBrowser' | 'neo4jGuide'> {
  if (!neo4j.browserUrl) return { neo4jBrowser: undefined, neo4jGuide: undefined };
  const connectTo = `bolt://${neo4j.user}@${new URL(neo4j.uri).host}`;
  return {
    neo4jBrowser: browserLink(neo4j.browserUrl, LINEAGE, connectTo),
    neo4jGuide: guideLink(neo4j.browserUrl, apiUrl, connectTo),
  };
}

export function addressesOf(stack: LaunchedStack): Addresses {
  const { temporal } = stack;
  return {
    graphiql: `${stack.apiUrl}/graphiql`,
    ...browserLinks(stack),
    temporalUi: temporal.uiUrl ? `${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows` : undefined,
  };
}

/** @param passwordFile of user neo4j, whose path is told and whose content never is */
export function printAddresses(addresses: Addresses, passwordFile: string, print: (line: string) => void): void {
  print(`GraphiQL       ${addresses.graphiql}`);
  if (addresses.neo4jBrowser) {
    print(`Neo4j Browser  ${addresses.neo4jBrowser}`);
    print(`               user neo4j, password in ${passwordFile}`);
    print(`  its guide    ${addresses.neo4jGuide}`);
  }
  if (addresses.temporalUi) print(`Temporal       ${addresses.temporalUi}`);
}
