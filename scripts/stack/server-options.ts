import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RECORD_SUFFIX } from './process-record.js';

/** Root of the checkout. */
export const REPOSITORY_ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where the set-up puts the jars: neo4j/lib, neo4j/plugins and spark. */
export const JARS_FOLDER = join(REPOSITORY_ROOT, '.nucleus', 'jars');

/** What every server of the stack is told. Everything listens on 127.0.0.1 only. */
export interface ServerOptions {
  /** Folder of its data; made when absent, kept when the server stops. */
  readonly dataDir: string;
  /** @default server.log in `dataDir` */
  readonly logFile?: string;
  /** @default server.pid.json in `dataDir` */
  readonly recordFile?: string;
  /** How long it may take to be ready. */
  readonly deadlineMs?: number;
  /** Gives up the start; a server that already runs is not touched. */
  readonly signal?: AbortSignal;
}

/** A server that answers. Disposing stops it. */
export interface RunningServer extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the server has ended, on request or not. */
  readonly exited: Promise<unknown>;
  /** Ends the server with all its processes; the data stay. */
  stop(): Promise<void>;
}

export function serverFiles(options: ServerOptions): { logFile: string; recordFile: string } {
  return {
    logFile: options.logFile ?? join(options.dataDir, 'server.log'),
    recordFile: options.recordFile ?? join(options.dataDir, `server${RECORD_SUFFIX}`),
  };
}

/** The variables that a foreign server may see; ours are none of its business, and some would change how it runs. */
export function serverEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'JAVA_HOME', 'USER'];
  const entries = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
