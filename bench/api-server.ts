import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Neo4jConnection } from '#graph-store';
import { INTERNAL_EVENTS_PATH } from '#ingestion/contracts';
import { type AppProcessName, freePort, startApp, startTemporal } from '#stack';
import type { BenchEnvironment } from './harness/index.js';

/** A server as users run it, in a process of its own. */
export interface ApiServer {
  readonly url: string;
  /** Where clients subscribe. */
  readonly socketUrl: string;
  readonly logFile: string;
  /** Where its graph is. */
  readonly graph: Neo4jConnection;
}

/**
 * A server on a graph that holds nothing else.
 * @param settings other than those that users get
 */
export async function openApiServer(
  environment: BenchEnvironment,
  settings: Readonly<Record<string, string>> = {},
): Promise<ApiServer> {
  return (await openServers(environment, settings)).startServer();
}

/** A server and both workers, as users run them, with the Temporal that they share. */
export async function openPlatform(environment: BenchEnvironment): Promise<{
  readonly server: ApiServer;
  readonly temporal: { readonly address: string; readonly namespace: string };
}> {
  const port = await freePort();
  const servers = await openServers(environment, {
    NUCLEUS_EVENTS_URL: `http://127.0.0.1:${port}${INTERNAL_EVENTS_PATH}`,
    KV_PATH: environment.place('kv').dataDir,
    STAGING_ROOT: environment.place('staging').dataDir,
    METADATA_ROOT: environment.place('metadata').dataDir,
  });
  const server = await servers.startServer(port);
  await Promise.all([servers.start('control-worker'), servers.start('data-worker')]);
  return { server, temporal: servers.temporal };
}

/** Two server processes on one graph that holds nothing else. Their logs tell when which change was committed. */
export async function openTwoApiServers(environment: BenchEnvironment): Promise<readonly [ApiServer, ApiServer]> {
  const { startServer } = await openServers(environment, { LOG_LEVEL: 'debug' });
  return [await startServer(), await startServer()];
}

/** Starts what our processes need. @returns what starts one more of them on it */
async function openServers(environment: BenchEnvironment, settings: Readonly<Record<string, string>>) {
  const [neo4j, temporal] = await Promise.all([
    environment.startNeo4j(),
    startTemporal({ ...environment.place('temporal'), uiPort: 'off' }),
  ]);
  environment.use(temporal);
  const shared = {
    HOST: '127.0.0.1',
    NEO4J_URI: neo4j.uri,
    NEO4J_USER: neo4j.user,
    NEO4J_PASSWORD: neo4j.password,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    NUCLEUS_SECRET_KEY: randomBytes(32).toString('base64'),
    NUCLEUS_INTERNAL_TOKEN: randomBytes(24).toString('base64url'),
    NUCLEUS_API_TOKEN: undefined,
    LINEAGE_INBOX_PATH: environment.place('lineage-inbox').dataDir,
    LOG_LEVEL: 'info',
    ...settings,
  };
  const start = async (name: AppProcessName, own: Readonly<Record<string, string>> = {}) => {
    const { dataDir, recordFile, signal } = environment.place(`${name}-${own.PORT ?? 'worker'}`);
    const logFile = join(dataDir, `${name}.log`);
    environment.use(await startApp(name, { env: { ...shared, ...own }, logFile, recordFile, signal }));
    return logFile;
  };
  const startServer = async (wanted?: number): Promise<ApiServer> => {
    const port = wanted ?? (await freePort());
    const logFile = await start('api', { PORT: String(port) });
    return { logFile, graph: neo4j, url: `http://127.0.0.1:${port}`, socketUrl: `ws://127.0.0.1:${port}/graphql` };
  };
  return { temporal, start, startServer };
}
