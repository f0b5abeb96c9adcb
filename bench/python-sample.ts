import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { JARS_FOLDER, REPOSITORY_ROOT } from '#stack';

const PYTHON = join(REPOSITORY_ROOT, '.venv', 'bin', 'python');
const BRIDGE = join(REPOSITORY_ROOT, 'python-bridge');
export const SPARK_JARS = join(JARS_FOLDER, 'spark');

/** A process of python-bridge/benchmarks that has imported what it needs and waits for the word to begin. */
export interface PythonSample<Result> extends AsyncDisposable {
  /** Lets it do its work. @returns what it prints at the end */
  go(): Promise<Result>;
}

/**
 * Starts `python -m benchmarks.<module>` and waits until it is ready.
 * @throws Error with the end of its standard error when it fails
 */
export async function startPythonSample<Result>(
  module: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<PythonSample<Result>> {
  const child = spawn(PYTHON, ['-m', `benchmarks.${module}`, ...args], {
    cwd: BRIDGE,
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  const next = lines(child);
  await next();
  return {
    go: async () => {
      child.stdin.write('go\n');
      return JSON.parse(await next()) as Result;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise((resolve) => child.once('close', resolve));
      }
    },
  };
}

/** @returns reads the next line, or throws what the process said when it ended without one */
function lines(child: ChildProcessByStdio<Writable, Readable, Readable>): () => Promise<string> {
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-2_000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the process ended with code ${code}: ${complaint}`)));
  });
  // Told to whoever waits for a line; an end that nobody waits for is no failure.
  failed.catch(() => undefined);
  const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { done, value } = await Promise.race([output.next(), failed]);
    return done ? failed : value;
  };
}
