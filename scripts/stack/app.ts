import { join } from 'node:path';
import { startChild, untilReady } from './child-process.js';
import { readLogFrom } from './log-tail.js';
import { REPOSITORY_ROOT, type RunningServer } from './server-options.js';

/**
 * A batch makes more short-lived objects than the 16 MiB for the young that Node has by itself, which then are copied: with
 * 64 MiB a batch of 5,000 rows takes a tenth to a fifth less time.
 */
const YOUNG_SPACE = '--max-semi-space-size=64';

/** Our own processes, by the name under which they run. */
export const APP_PROCESSES = {
  api: { command: process.execPath, args: [YOUNG_SPACE, '--import', 'tsx', 'server/main.ts'] },
  'control-worker': { command: process.execPath, args: [YOUNG_SPACE, '--import', 'tsx', 'ingestion/worker.ts'] },
  'data-worker': {
    command: join(REPOSITORY_ROOT, '.venv', 'bin', 'python'),
    args: ['python-bridge/temporal/metadata_worker.py'],
  },
} as const;
export type AppProcessName = keyof typeof APP_PROCESSES;

export interface AppProcessOptions {
  /** Added to, and winning over, the environment of this process; `undefined` takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly recordFile: string;
  /** How long until its line with `"msg":"ready"`. @default 120_000, for Spark's first start on a slow machine */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export type RunningApp = RunningServer;

function isReadyLine(line: string): boolean {
  if (!line.includes('"ready"')) return false;
  try {
    return (JSON.parse(line) as { msg?: unknown }).msg === 'ready';
  } catch {
    return false;
  }
}

function environmentWith(added: AppProcessOptions['env']): Record<string, string> {
  const entries = Object.entries({ ...process.env, ...added });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * Starts one of our processes and waits for its ready line. Stopping ends its group, and so the JVM of the Python worker too.
 * @throws StackError
 */
export async function startApp(name: AppProcessName, options: AppProcessOptions): Promise<RunningApp> {
  const { command, args } = APP_PROCESSES[name];
  const child = await startChild({
    name,
    command,
    args,
    // Without it graphql-js looks at every value of an answer for a second copy of itself.
    env: environmentWith({ NODE_ENV: 'production', ...options.env }),
    cwd: REPOSITORY_ROOT,
    logFile: options.logFile,
    recordFile: options.recordFile,
  });
  const probe = async () => {
    // The ready line may be followed by others, but not by so many that it leaves the tail between two looks.
    if (!readLogFrom(child.logFile, child.logOffset).split('\n').some(isReadyLine))
      throw new Error('no ready line yet');
  };
  await untilReady(child, probe, { deadlineMs: options.deadlineMs ?? 120_000, signal: options.signal });
  return {
    pid: child.pid,
    logFile: child.logFile,
    exited: child.exited,
    stop: child.stop,
    [Symbol.asyncDispose]: child.stop,
  };
}
