import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { runCli } from '../../client/cli/run-cli.js';

const BIN = fileURLToPath(new URL('../../client/bin/nucleus.mjs', import.meta.url));
const WITHIN_MS = 30_000;

export interface CliAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; without it there is none. */
  readonly input?: string | Uint8Array;
}

/** A `nucleus` that runs, as a process of its own. */
export interface RunningCli extends AsyncDisposable {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until standard output holds this many lines. */
  lines(count: number): Promise<string[]>;
  /** Waits until standard error holds the text. */
  told(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Closes the reading end of its standard output, as `head` does. */
  stopReading(): void;
  readonly ended: Promise<CliAnswer>;
}

/** Starts `nucleus` in an environment that holds nothing of the test's own. */
export function startNucleusCli(args: readonly string[], { env = {}, input }: CliOptions = {}): RunningCli {
  const child: ChildProcess = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const until = (condition: () => boolean, what: string) =>
    vi.waitUntil(condition, { timeout: WITHIN_MS, interval: 20 }).catch(() => {
      throw new Error(`nucleus ${args.join(' ')}: no ${what} in time\nstdout: ${stdout}\nstderr: ${stderr}`);
    });
  const wholeLines = () => stdout.split('\n').slice(0, -1);
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    lines: async (count) => {
      await until(() => wholeLines().length >= count, `${count} lines`);
      return wholeLines();
    },
    told: async (text) => {
      await until(() => stderr.includes(text), `"${text}"`);
    },
    kill: (signal) => child.kill(signal),
    stopReading: () => child.stdout?.destroy(),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function runNucleusCli(args: readonly string[], options: CliOptions = {}): Promise<CliAnswer> {
  await using running = startNucleusCli(args, options);
  return await running.ended;
}

/** The same command line within this process: it costs no start of a process, and can be shown a terminal. */
export async function callNucleusCli(
  args: readonly string[],
  { env = {}, input, terminal = false }: CliOptions & { readonly terminal?: boolean } = {},
): Promise<CliAnswer> {
  const [stdout, stderr] = [collector(terminal), collector(terminal)];
  const stdin = input === undefined ? new PassThrough().end() : Readable.from([Buffer.from(input)]);
  const { signal } = new AbortController();
  const code = await runCli(args, { env, stdin, stdout: stdout.stream, stderr: stderr.stream, signal });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collector(isTTY: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => chunks.join('') };
}
