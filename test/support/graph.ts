import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Driver } from 'neo4j-driver';
import {
  IngestionCatalog,
  type Knowledge,
  migrateGraph,
  Neo4jChangeLog,
  Neo4jGraphStore,
  openDriver,
  openKnowledge,
} from '#graph-store';
import { RECORD_SUFFIX, startNeo4j } from '#stack';
import { testEnvironment } from './environment.js';
import { scratchFolder } from './folder.js';

/** A graph with everything that reads and writes it. */
export interface TestGraph extends AsyncDisposable {
  readonly driver: Driver;
  readonly store: Neo4jGraphStore;
  readonly log: Neo4jChangeLog;
  readonly catalog: IngestionCatalog;
  readonly knowledge: Knowledge;
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

/** A server that holds one graph alone. */
export interface OwnNeo4j extends AsyncDisposable {
  readonly uri: string;
  readonly user: string;
  readonly password: string;
  /** Stops the server, and starts it again on the same data and at the same address once `during` has ended. */
  outage(during: () => Promise<void>): Promise<void>;
  /** Kills the server at once, and starts it again on the same data and at the same address. */
  crash(): Promise<void>;
}

/** A graph with its server. */
export interface OwnGraph extends TestGraph {
  readonly server: OwnNeo4j;
}

/** A fresh, migrated graph on a server of its own, for what looks at the whole graph, such as the reconciler. */
export async function openOwnGraph(): Promise<OwnGraph> {
  const server = await startOwnNeo4j();
  const driver = openDriver(server);
  await migrateGraph(driver);
  const graph = graphOn(driver, async () => {
    await driver.close();
    await server[Symbol.asyncDispose]();
  });
  return { ...graph, server };
}

/** A Neo4j without a schema. Its pid is recorded, so a killed test run leaves no server behind. */
export async function startOwnNeo4j(): Promise<OwnNeo4j> {
  const folder = await scratchFolder();
  const options = {
    dataDir: join(folder.path, 'neo4j'),
    recordFile: join(testEnvironment().TEST_RECORDS_DIR, `neo4j-${randomUUID()}${RECORD_SUFFIX}`),
    password: randomBytes(12).toString('base64url'),
    heapMiB: 256,
    pageCacheMiB: 64,
    isShortLived: true,
  };
  let running = await startNeo4j(options);
  const { uri, user, password } = running;
  const startAgain = async () => {
    running = await startNeo4j({ ...options, boltPort: Number(new URL(uri).port) });
  };
  return {
    ...{ uri, user, password },
    outage: async (during) => {
      await running.stop();
      try {
        await during();
      } finally {
        await startAgain();
      }
    },
    crash: async () => {
      process.kill(running.pid, 'SIGKILL');
      await running.exited;
      await running.stop();
      await startAgain();
    },
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function graphOn(driver: Driver, close: () => Promise<void>): TestGraph {
  const store = new Neo4jGraphStore(driver);
  const log = new Neo4jChangeLog(driver);
  return {
    driver,
    store,
    log,
    knowledge: openKnowledge(driver, store, log),
    catalog: new IngestionCatalog(driver),
    query: async (cypher, parameters = {}) =>
      (await driver.executeQuery(cypher, parameters)).records.map((record) => record.toObject()),
    [Symbol.asyncDispose]: close,
  };
}
