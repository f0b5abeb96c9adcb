import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  JARS_FOLDER,
  RECORD_SUFFIX,
  type RunningServer,
  reapRecorded,
  startNeo4j,
  startPostgres,
  startTemporal,
} from '#stack';
import { tryLock } from '../setup/process-lock.mjs';

const PREFIX = 'nucleus-test-';
const LOCK = 'owner.lock';
const RECORDS = 'run';

/** The servers that all tests of one run share, in a folder that ends with them. */
export interface TestServers extends AsyncDisposable {
  /** Where they are, as variables for the runners. */
  readonly env: Readonly<Record<string, string>>;
}

/** Ends the servers and removes the folders of test runs that were killed. */
async function clearKilledRuns(): Promise<void> {
  for (const entry of readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX))) {
    const folder = join(tmpdir(), entry);
    try {
      // Without a lock it is not a folder of ours, whatever its name.
      if (!existsSync(join(folder, LOCK))) continue;
      const owner = tryLock(join(folder, LOCK));
      if (!owner.acquired) continue;
      await reapRecorded(join(folder, RECORDS));
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // The folder of another user is that user's to clear.
      if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/**
 * Starts those of Neo4j, Temporal and Postgres that the environment does not name.
 * @throws StackError
 */
export async function startTestServers(given: NodeJS.ProcessEnv, signal: AbortSignal): Promise<TestServers> {
  await clearKilledRuns();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  // Postgres runs as another user when we are root, and must be able to reach its data.
  chmodSync(folder, 0o711);
  tryLock(join(folder, LOCK));
  const recordDir = join(folder, RECORDS);
  const place = (name: string) => ({
    dataDir: join(folder, name),
    recordFile: join(recordDir, `${name}${RECORD_SUFFIX}`),
    signal,
  });
  const password = randomBytes(12).toString('base64url');
  const running: RunningServer[] = [];
  const started = <Running extends RunningServer>(server: Running): Running => {
    running.push(server);
    return server;
  };
  const neo4j = async () => {
    const { NEO4J_URI, NEO4J_USER = 'neo4j', NEO4J_PASSWORD = '' } = given;
    if (NEO4J_URI) return { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD };
    const { uri, user } = started(await startNeo4j({ ...place('neo4j'), password }));
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
    // What tests have started themselves and not stopped.
    await reapRecorded(recordDir);
    rmSync(folder, { recursive: true, force: true });
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
        /** Tests record the pids of their own processes here, so that those of a killed run are ended too. */
        TEST_RECORDS_DIR: recordDir,
      },
      ...addresses,
    ) as Record<string, string>,
    [Symbol.asyncDispose]: stop,
  };
}
