import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Neo4jConnection } from '#graph-store';
import { freePort, startApp, startTemporal } from '#stack';
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
  return (await openServers(environment, settings))();
}

/** Two server processes on one graph that holds nothing else. Their logs tell when which change was committed. */
export async function openTwoApiServers(environment: BenchEnvironment): Promise<readonly [ApiServer, ApiServer]> {
  const start = await openServers(environment, { LOG_LEVEL: 'debug' });
  return [await start(), await start()];
}

/** Starts what servers need. @returns starts one more server on it */
async function openServers(
  environment: BenchEnvironment,
  settings: Readonly<Record<string, string>>,
): Promise<() => Promise<ApiServer>> {
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
  return async () => {
    const port = await freePort();
    const { dataDir, recordFile, signal } = environment.place(`api-${port}`);
    const env = { ...shared, PORT: String(port) };
    const logFile = join(dataDir, 'server.log');
    environment.use(await startApp('api', { env, logFile, recordFile, signal }));
    return { logFile, graph: neo4j, url: `http://127.0.0.1:${port}`, socketUrl: `ws://127.0.0.1:${port}/graphql` };
  };
}
