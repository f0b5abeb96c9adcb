import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JARS_FOLDER, openRunFolder, type RunningServer, startNeo4j, startPostgres, startTemporal } from '#stack';

const PREFIX = 'nucleus-test-';

/** The servers that all tests of one run share, in a folder that ends with them. */
export interface TestServers extends AsyncDisposable {
  /** Where they are, as variables for the runners. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts those of Neo4j, Temporal and Postgres that the environment does not name.
 * @throws StackError
 */
export async function startTestServers(given: NodeJS.ProcessEnv, signal: AbortSignal): Promise<TestServers> {
  const folder = await openRunFolder(tmpdir(), PREFIX);
  const place = (name: string) => ({ ...folder.place(name), signal });
  const password = randomBytes(12).toString('base64url');
  const running: RunningServer[] = [];
  const started = <Running extends RunningServer>(server: Running): Running => {
    running.push(server);
    return server;
  };
  const neo4j = async () => {
    const { NEO4J_URI, NEO4J_USER = 'neo4j', NEO4J_PASSWORD = '' } = given;
    if (NEO4J_URI) return { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD };
    const { uri, user } = started(await startNeo4j({ ...place('neo4j'), password, isShortLived: true }));
    return { NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password };
  };
  const temporal = async () => {
    const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE = 'nucleus' } = given;
    if (TEMPORAL_ADDRESS) return { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE };
    const { address, namespace } = started(await startTemporal({ ...place('temporal'), uiPort: 'off' }));
    return { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  };
  const postgres = async () => {
    const { TEST_POSTGRES_URL } = given;
    if (TEST_POSTGRES_URL) return { TEST_POSTGRES_URL };
    const server = started(await startPostgres({ ...place('postgres'), password, fsync: false }));
    return { TEST_POSTGRES_URL: server.url() };
  };
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()));
    // With it goes what tests have started themselves and not stopped.
    await folder[Symbol.asyncDispose]();
  };
  const parts = await Promise.allSettled([neo4j(), temporal(), postgres()]);
  const failed = parts.find((part) => part.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const addresses = parts.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
  return {
    env: Object.assign(
      {
        SPARK_JARS_DIR: join(JARS_FOLDER, 'spark'),
        // As for `isShortLived` of Neo4j.
        SPARK_SUBMIT_OPTS: '-XX:TieredStopAtLevel=1',
        /** Tests record the pids of their own processes here, so that those of a killed run are ended too. */
        TEST_RECORDS_DIR: folder.recordDir,
      },
      ...addresses,
    ) as Record<string, string>,
    [Symbol.asyncDispose]: stop,
  };
}
