import neo4j, { type Driver } from 'neo4j-driver';
import { AppError } from '#errors';
import { GRAPH_SCHEMA_VERSION, MIGRATIONS } from '#graph-schema';
import { inReadTransaction, inWriteTransaction } from './neo4j-session.js';

const LOCK_SCHEMA = `
MERGE (s:SchemaVersion {id: 'main'})
ON CREATE SET s.version = 0
SET s.lockedAt = datetime()
RETURN s.version AS version`;

/**
 * Brings the graph to the schema of this build. Several servers may start at once: every statement can run twice without
 * harm, and the version only grows.
 *
 * @returns the versions that were applied
 * @throws AppError CONFLICT when a newer build has already changed this graph
 */
export async function migrateGraph(driver: Driver): Promise<number[]> {
  // Without the constraint two servers could create two version nodes.
  await runSchemaStatement(
    driver,
    'CREATE CONSTRAINT schema_version_id IF NOT EXISTS FOR (s:SchemaVersion) REQUIRE s.id IS UNIQUE',
  );
  const present = await inWriteTransaction(driver, async (tx) => {
    const result = await tx.run<{ version: number }>(LOCK_SCHEMA);
    return result.records[0]?.get('version') ?? 0;
  });
  if (present > GRAPH_SCHEMA_VERSION) {
    throw new AppError(
      'CONFLICT',
      `the graph has schema version ${present}, this build knows ${GRAPH_SCHEMA_VERSION}: start a newer build`,
      { details: { present, known: GRAPH_SCHEMA_VERSION } },
    );
  }
  const pending = MIGRATIONS.filter((migration) => migration.version > present);
  for (const migration of pending) {
    for (const statement of migration.statements) await runSchemaStatement(driver, statement);
    await inWriteTransaction(driver, (tx) =>
      tx.run("MATCH (s:SchemaVersion {id: 'main'}) WHERE s.version < $version SET s.version = $version", {
        version: neo4j.int(migration.version),
      }),
    );
  }
  if (pending.length > 0) await inReadTransaction(driver, (tx) => tx.run('CALL db.awaitIndexes(60)'));
  return pending.map((migration) => migration.version);
}

/** Schema statements and data statements cannot share a transaction in Neo4j. */
async function runSchemaStatement(driver: Driver, statement: string): Promise<void> {
  await inWriteTransaction(driver, (tx) => tx.run(statement));
}
