import { browserLink } from '#graph-schema';
import type { LaunchedStack } from '../start/launch-stack.js';
import { SOURCE_ID } from './demo-catalog.js';

/** Where a person can look on; undefined for what runs elsewhere, whose pages only its owner knows. */
export interface Addresses {
  readonly graphiql: string;
  readonly neo4jBrowser: string | undefined;
  readonly temporalUi: string | undefined;
}

/** Data sets that a unit of the demo reads, the unit, and what it makes. */
const LINEAGE = `MATCH lineage = (:Dataset)-[:FEEDS]->(unit:IngestionUnit)-[:PRODUCES]->(:Dataset)
WHERE unit.name STARTS WITH '${SOURCE_ID}/'
RETURN lineage`;

function lineageLink(neo4j: LaunchedStack['neo4j']): string | undefined {
  if (!neo4j.browserUrl) return undefined;
  return browserLink(neo4j.browserUrl, LINEAGE, `bolt://${neo4j.user}@${new URL(neo4j.uri).host}`);
}

export function addressesOf(stack: LaunchedStack): Addresses {
  const { temporal } = stack;
  return {
    graphiql: `${stack.apiUrl}/graphiql`,
    neo4jBrowser: lineageLink(stack.neo4j),
    temporalUi: temporal.uiUrl ? `${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows` : undefined,
  };
}

/** @param passwordFile of user neo4j, whose path is told and whose content never is */
export function printAddresses(addresses: Addresses, passwordFile: string, print: (line: string) => void): void {
  print(`GraphiQL       ${addresses.graphiql}`);
  if (addresses.neo4jBrowser) {
    print(`Neo4j Browser  ${addresses.neo4jBrowser}`);
    print(`               user neo4j, password in ${passwordFile}`);
  }
  if (addresses.temporalUi) print(`Temporal       ${addresses.temporalUi}`);
}
