import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { type Child, startChild, untilReady } from './child-process.js';
import { freePort } from './free-port.js';
import {
  JARS_FOLDER,
  REPOSITORY_ROOT,
  type RunningServer,
  type ServerOptions,
  serverEnvironment,
  serverFiles,
} from './server-options.js';
import { StackError } from './stack-error.js';

export interface Neo4jOptions extends ServerOptions {
  /** Password of user `neo4j`; set on the first start, needed on every later one. At least 8 characters. */
  readonly password: string;
  /** @default a free port */
  readonly boltPort?: number;
  /** @default a free port */
  readonly httpPort?: number;
  /** Folder with `lib` and `plugins`. @default the jars of the set-up */
  readonly jarsDir?: string;
  /** @default 512 */
  readonly heapMiB?: number;
  /** @default 256 */
  readonly pageCacheMiB?: number;
  /** Compiles classes only as far as pays off within minutes. For servers of tests. @default false */
  readonly isShortLived?: boolean;
  /** Where the JVM leaves its classes, ready to be loaded, when the server stops; see `NEO4J_CLASSES`. @default nowhere */
  readonly archiveClassesTo?: string;
}

export interface RunningNeo4j extends RunningServer {
  readonly uri: string;
  readonly user: 'neo4j';
  readonly password: string;
  /** Root of its HTTP server; the Browser is at /browser/. */
  readonly httpUrl: string;
}

const MAIN_CLASS = 'org.neo4j.server.CommunityEntryPoint';
/** Packages that Neo4j reaches into; the list is that of its own start script. */
const OPENED_PACKAGES = ['java.nio', 'java.io', 'sun.nio.ch', 'java.util.concurrent', 'java.lang'];

/** Folder of the classes of Neo4j as the JVM has loaded them once, read and checked; the set-up makes it. */
const NEO4J_CLASSES_FOLDER = join(JARS_FOLDER, 'neo4j-classes');
/**
 * An archive for class data sharing (JEP 350): with it Neo4j starts with less than half of the work. A JVM that does not make such
 * files starts without; one that finds that the file does not fit it, or the jars, reads the jars.
 */
export const NEO4J_CLASSES = join(NEO4J_CLASSES_FOLDER, 'classes.jsa');

/** Longest that a JVM may take to write its archive; it takes about 15 s. */
const ARCHIVE_TIMEOUT_MS = 120_000;

/** Longest that one statement may run before the server ends it. */
const TRANSACTION_TIMEOUT = '5m';

function configuration(options: Neo4jOptions, boltPort: number, httpPort: number, jarsDir: string): string {
  return [
    'server.default_listen_address=127.0.0.1',
    `server.bolt.listen_address=127.0.0.1:${boltPort}`,
    `server.bolt.advertised_address=127.0.0.1:${boltPort}`,
    `server.http.listen_address=127.0.0.1:${httpPort}`,
    `server.http.advertised_address=127.0.0.1:${httpPort}`,
    'server.https.enabled=false',
    'dbms.usage_report.enabled=false',
    // Otherwise the Browser reports its use to its makers.
    'client.allow_telemetry=false',
    // From where the Browser may load guides and styles: the first two are its own defaults, the last our server's address.
    'browser.remote_content_hostname_whitelist=guides.neo4j.com,localhost,127.0.0.1',
    `server.directories.plugins=${join(jarsDir, 'plugins')}`,
    `server.memory.pagecache.size=${options.pageCacheMiB ?? 256}m`,
    `db.transaction.timeout=${TRANSACTION_TIMEOUT}`,
    // Otherwise each of the two databases reserves 256 MiB of log at once.
    'db.tx_log.preallocate=false',
    // Otherwise Lucene opens the index anew for each commit; searches do not wait for the interval.
    'db.index.fulltext.eventually_consistent_refresh_interval=1s',
    // Otherwise a stop waits twice five seconds for connections that nobody can open any more.
    'internal.dbms.bolt.netty_server_shutdown_quiet_period=0',
    '',
  ].join('\n');
}

/** Archives are only for the class path that they were made with. */
export function neo4jClassPath(jarsDir: string): string {
  return `${join(jarsDir, 'lib', '*')}:${join(jarsDir, 'plugins', '*')}`;
}

function classSharing({ archiveClassesTo }: Neo4jOptions): string[] {
  if (archiveClassesTo !== undefined) return [`-XX:ArchiveClassesAtExit=${archiveClassesTo}`];
  return existsSync(NEO4J_CLASSES) ? [`-XX:SharedArchiveFile=${NEO4J_CLASSES}`] : [];
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof Neo4jError && error.code === 'Neo.ClientError.Security.Unauthorized';
}

async function withDriver<T>(uri: string, password: string, use: (driver: Driver) => Promise<T>): Promise<T> {
  const driver = neo4j.driver(uri, neo4j.auth.basic('neo4j', password), {
    connectionTimeout: 5_000,
    maxTransactionRetryTime: 0,
  });
  try {
    return await use(driver);
  } finally {
    await driver.close();
  }
}

/** A new Neo4j has the password `neo4j`, with which nothing but a change of it is allowed. */
async function setInitialPassword(uri: string, password: string): Promise<void> {
  await withDriver(uri, 'neo4j', (driver) =>
    driver.executeQuery(
      "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password",
      { password },
      { database: 'system' },
    ),
  );
}

async function answerAsUser(uri: string, password: string): Promise<void> {
  // A procedure of APOC, because the server also starts without its plugins.
  await withDriver(uri, password, (driver) => driver.executeQuery('RETURN apoc.version()', {}, { database: 'neo4j' }));
}

/**
 * Waits until user `neo4j` can query with the given password, which a new server is given first.
 * @throws StackError WRONG_PASSWORD when the data folder was made with another one
 */
async function untilUserCanQuery(child: Child, uri: string, options: Neo4jOptions, isNew: boolean): Promise<void> {
  let mayBeNew = isNew;
  const probe = async () => {
    if (mayBeNew) {
      try {
        await setInitialPassword(uri, options.password);
      } catch (error) {
        // A start that was broken off after the change finds the password set already.
        if (!isUnauthorized(error)) throw error;
      }
      mayBeNew = false;
    }
    try {
      await answerAsUser(uri, options.password);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      throw new StackError(
        'WRONG_PASSWORD',
        `the data in ${options.dataDir} were made with another password for user neo4j; give that one, or remove the folder to start empty`,
        { dataDir: options.dataDir },
        { cause: error },
      );
    }
  };
  await untilReady(child, probe, { deadlineMs: options.deadlineMs ?? 120_000, signal: options.signal });
}

/**
 * Starts Neo4j Community from the jars of the set-up and waits until it answers a query.
 * @throws StackError
 */
export async function startNeo4j(options: Neo4jOptions): Promise<RunningNeo4j> {
  const jarsDir = options.jarsDir ?? join(JARS_FOLDER, 'neo4j');
  if (!existsSync(join(jarsDir, 'lib'))) {
    throw new StackError(
      'MISSING_BINARY',
      `the jars of Neo4j are not in ${jarsDir}; run "npm start" or "npm test" once`,
      {
        jarsDir,
      },
    );
  }
  const boltPort = options.boltPort ?? (await freePort());
  const httpPort = options.httpPort ?? (await freePort());
  const confDir = join(options.dataDir, 'conf');
  // The password is asked for only once the server has stored one, which is the last step of a first start.
  const passwordSet = join(options.dataDir, 'password-set');
  const isNew = !existsSync(passwordSet);
  mkdirSync(confDir, { recursive: true });
  writeFileSync(join(confDir, 'neo4j.conf'), configuration(options, boltPort, httpPort, jarsDir));

  const heapMiB = options.heapMiB ?? 512;
  const env = serverEnvironment();
  const child = await startChild({
    name: 'neo4j',
    command: env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java',
    args: [
      `-Xms${heapMiB}m`,
      `-Xmx${heapMiB}m`,
      '-XX:+ExitOnOutOfMemoryError',
      ...classSharing(options),
      // The second compiler works for as long as such a server lives, and is done when nobody needs it any more.
      ...(options.isShortLived ? ['-XX:TieredStopAtLevel=1'] : []),
      ...OPENED_PACKAGES.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      '-cp',
      neo4jClassPath(jarsDir),
      MAIN_CLASS,
      `--home-dir=${options.dataDir}`,
      `--config-dir=${confDir}`,
      '--console-mode',
    ],
    env,
    cwd: REPOSITORY_ROOT,
    stopTimeoutMs: options.archiveClassesTo === undefined ? 30_000 : ARCHIVE_TIMEOUT_MS,
    ...serverFiles(options),
  });
  const uri = `bolt://127.0.0.1:${boltPort}`;
  await untilUserCanQuery(child, uri, options, isNew);
  writeFileSync(passwordSet, '');
  return {
    uri,
    user: 'neo4j',
    password: options.password,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    pid: child.pid,
    logFile: child.logFile,
    exited: child.exited,
    stop: child.stop,
    [Symbol.asyncDispose]: child.stop,
  };
}
