import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import neo4j from 'neo4j-driver';
import { openRunFolder, startNeo4j } from '#stack';

const PREFIX = 'nucleus-setup-';

/** Between them they need most of what Neo4j runs statements with. */
const STATEMENTS = [
  'CREATE CONSTRAINT node_urn FOR (n:Node) REQUIRE n.urn IS UNIQUE',
  "CREATE FULLTEXT INDEX node_text FOR (n:Node) ON EACH [n.urn] OPTIONS {indexConfig: {`fulltext.analyzer`: 'standard'}}",
  `UNWIND range(1, 100) AS i MERGE (n:Node {urn: toString(i)}) ON CREATE SET n.values = [i, i + 1], n.at = datetime()
     SET n += {seen: true} RETURN count(n)`,
  `MATCH (a:Node), (b:Node {urn: toString(toInteger(a.urn) + 1)}) MERGE (a)-[r:TO {by: 'setup'}]->(b)
     RETURN collect({a: a.urn, r: properties(r)}) AS edges`,
  `MATCH (a:Node {urn: '1'}) CALL (a) { MATCH p = (a)-[:TO*1..5]->(b) RETURN b, length(p) AS depth LIMIT 10 }
     WITH DISTINCT b, depth ORDER BY depth DESC RETURN b.urn AS urn, depth`,
  "CALL db.index.fulltext.queryNodes('node_text', '1') YIELD node, score RETURN node.urn AS urn, score",
];

/**
 * Starts Neo4j once, has it run some statements, and stops it, whereupon its JVM writes the classes that it has loaded.
 * @param file in a folder that is there
 * @throws StackError
 */
async function archiveNeo4jClasses(file: string): Promise<void> {
  await using folder = await openRunFolder(tmpdir(), PREFIX);
  const password = randomBytes(12).toString('base64url');
  await using server = await startNeo4j({ ...folder.place('neo4j'), password, archiveClassesTo: file });
  const driver = neo4j.driver(server.uri, neo4j.auth.basic(server.user, password));
  try {
    for (const statement of STATEMENTS) await driver.executeQuery(statement);
  } finally {
    await driver.close();
  }
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new TypeError('the file to write is missing');
await archiveNeo4jClasses(file);
