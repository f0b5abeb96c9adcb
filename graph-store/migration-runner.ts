import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { AppError } from '#errors';
import { GRAPH_SCHEMA_VERSION, MIGRATIONS, type Migration } from '#graph-schema';
import { inReadTransaction, inWriteTransaction } from './neo4j-session.js';

const SCHEMA_VERSION_CONSTRAINT =
  'CREATE CONSTRAINT schema_version_id IF NOT EXISTS FOR (s:SchemaVersion) REQUIRE s.id IS UNIQUE';

const LOCK_VERSION = `
MERGE (s:SchemaVersion {id: 'main'})
ON CREATE SET s.version = 0
SET s.lockedAt = datetime()
RETURN s.version AS version`;

const SET_VERSION = "MATCH (s:SchemaVersion {id: 'main'}) SET s.version = $version";

/** Building an index over a large graph takes its time; a server that died meanwhile must not hold the lock for ever. */
const LOCK_TIMEOUT_MS = 600_000;

/**
 * Brings the graph to the schema of this build. Processes that start together take turns: the first holds the lock on the
 * version node while it works, the others then find nothing left to do.
 *
 * @returns the versions that were applied
 * @throws AppError CONFLICT when a newer build has already changed this graph
 */
export async function migrateGraph(driver: Driver): Promise<number[]> {
  await createVersionConstraint(driver);
  const applied = await inWriteTransaction(
    driver,
    async (lock) => {
      const result = await lock.run<{ version: number }>(LOCK_VERSION);
      const pending = pendingMigrations(result.records[0]?.get('version') ?? 0);
      for (const migration of pending) {
        // Neo4j takes schema and data statements in separate transactions only, so each has its own beside the lock's.
        // After a crash they run again, which every one of them is written to allow.
        for (const statement of migration.statements) await inWriteTransaction(driver, (tx) => tx.run(statement));
      }
      if (pending.length > 0) await lock.run(SET_VERSION, { version: neo4j.int(GRAPH_SCHEMA_VERSION) });
      return pending.map((migration) => migration.version);
    },
    LOCK_TIMEOUT_MS,
  );
  if (applied.length > 0) await inReadTransaction(driver, (tx) => tx.run('CALL db.awaitIndexes(60)'));
  return applied;
}

function pendingMigrations(present: number): readonly Migration[] {
  if (present > GRAPH_SCHEMA_VERSION) {
    throw new AppError(
      'CONFLICT',
      `the graph has schema version ${present}, this build knows ${GRAPH_SCHEMA_VERSION}: start a newer build`,
      { details: { present, known: GRAPH_SCHEMA_VERSION } },
    );
  }
  return MIGRATIONS.filter((migration) => migration.version > present);
}

/** The lock needs one version node, so its constraint comes before the lock, and two processes may race for it. */
async function createVersionConstraint(driver: Driver): Promise<void> {
  try {
    await inWriteTransaction(driver, (tx) => tx.run(SCHEMA_VERSION_CONSTRAINT));
  } catch (error) {
    if (error instanceof Neo4jError && error.code === 'Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists')
      return;
    throw error;
  }
}
