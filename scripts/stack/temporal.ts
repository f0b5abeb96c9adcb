import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { startChild, untilReady } from './child-process.js';
import { freePort } from './free-port.js';
import {
  REPOSITORY_ROOT,
  type RunningServer,
  type ServerOptions,
  serverEnvironment,
  serverFiles,
} from './server-options.js';
import { StackError } from './stack-error.js';

export interface TemporalOptions extends ServerOptions {
  /** Made when it does not exist. @default 'nucleus' */
  readonly namespace?: string;
  /** @default a free port */
  readonly port?: number;
  /** Port of the web UI; `'off'` serves none. @default a free port */
  readonly uiPort?: number | 'off';
  /** The Temporal CLI. @default that of the Python environment at the root */
  readonly cliPath?: string;
}

export interface RunningTemporal extends RunningServer {
  /** host:port of the gRPC front end. */
  readonly address: string;
  readonly namespace: string;
  /** Undefined when the UI is off. */
  readonly uiUrl: string | undefined;
}

const PROBE_TIMEOUT_MS = 2_000;

async function describeNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: PROBE_TIMEOUT_MS });
  try {
    await connection.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } finally {
    await connection.close();
  }
}

/**
 * Starts the Temporal dev server on a data file of its own and waits until its namespace is there.
 * @throws StackError
 */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const cliPath = options.cliPath ?? join(REPOSITORY_ROOT, '.venv', 'bin', 'temporal');
  if (!existsSync(cliPath)) {
    throw new StackError(
      'MISSING_BINARY',
      `the Temporal CLI is not at ${cliPath}; run "npm start" or "npm test" once`,
      {
        cliPath,
      },
    );
  }
  const namespace = options.namespace ?? 'nucleus';
  const port = options.port ?? (await freePort());
  const uiPort = options.uiPort ?? (await freePort());
  mkdirSync(options.dataDir, { recursive: true });

  const child = await startChild({
    name: 'temporal',
    command: cliPath,
    args: [
      'server',
      'start-dev',
      ...['--ip', '127.0.0.1', '--port', String(port)],
      ...(uiPort === 'off' ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
      ...['--db-filename', join(options.dataDir, 'temporal.db')],
      // The default journal is several times slower and blocks readers while it writes.
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
      ...['--namespace', namespace, '--log-level', 'error'],
    ],
    env: serverEnvironment(),
    cwd: options.dataDir,
    ...serverFiles(options),
  });
  const address = `127.0.0.1:${port}`;
  await untilReady(child, () => describeNamespace(address, namespace), {
    deadlineMs: options.deadlineMs ?? 60_000,
    signal: options.signal,
  });
  return {
    address,
    namespace,
    uiUrl: uiPort === 'off' ? undefined : `http://127.0.0.1:${uiPort}`,
    pid: child.pid,
    logFile: child.logFile,
    exited: child.exited,
    stop: child.stop,
    [Symbol.asyncDispose]: child.stop,
  };
}
