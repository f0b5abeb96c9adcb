import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Driver } from 'neo4j-driver';
import { IngestionCatalog, migrateGraph, Neo4jChangeLog, Neo4jGraphStore, openDriver } from '#graph-store';
import { RECORD_SUFFIX, type RunningNeo4j, startNeo4j } from '#stack';
import { testEnvironment } from './environment.js';
import { scratchFolder } from './folder.js';

/** A graph with everything that reads and writes it. */
export interface TestGraph extends AsyncDisposable {
  readonly driver: Driver;
  readonly store: Neo4jGraphStore;
  readonly log: Neo4jChangeLog;
  readonly catalog: IngestionCatalog;
  /** A look at the graph behind the back of the code under test. */
  query(cypher: string, parameters?: Record<string, unknown>): Promise<Record<string, unknown>[]>;
}

/** The graph of the test run. Other files use it at the same time: keep to ids of your own, and never count on being alone. */
export async function openSharedGraph(): Promise<TestGraph> {
  const { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD } = testEnvironment();
  const driver = openDriver({ uri: NEO4J_URI, user: NEO4J_USER, password: NEO4J_PASSWORD });
  await migrateGraph(driver);
  return graphOn(driver, () => driver.close());
}

/** A fresh, migrated graph on a server of its own, for what looks at the whole graph, such as the reconciler. */
export async function openOwnGraph(): Promise<TestGraph> {
  const server = await startOwnNeo4j();
  const driver = openDriver(server);
  await migrateGraph(driver);
  return graphOn(driver, async () => {
    await driver.close();
    await server[Symbol.asyncDispose]();
  });
}

/** A Neo4j without a schema. Its pid is recorded, so a killed test run leaves no server behind. */
export async function startOwnNeo4j(): Promise<RunningNeo4j> {
  const folder = await scratchFolder();
  const server = await startNeo4j({
    dataDir: join(folder.path, 'neo4j'),
    recordFile: join(testEnvironment().TEST_RECORDS_DIR, `neo4j-${randomUUID()}${RECORD_SUFFIX}`),
    password: randomBytes(12).toString('base64url'),
    heapMiB: 256,
    pageCacheMiB: 64,
  });
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function graphOn(driver: Driver, close: () => Promise<void>): TestGraph {
  return {
    driver,
    store: new Neo4jGraphStore(driver),
    log: new Neo4jChangeLog(driver),
    catalog: new IngestionCatalog(driver),
    query: async (cypher, parameters = {}) =>
      (await driver.executeQuery(cypher, parameters)).records.map((record) => record.toObject()),
    [Symbol.asyncDispose]: close,
  };
}
