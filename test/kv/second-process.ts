import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WriteResult } from '#kv';

const WRITER = fileURLToPath(new URL('./second-process-writer.ts', import.meta.url));

/** What the second process can be told to do with the store that it opened. */
export type Task =
  | { do: 'put'; key: string; value: string; ifVersion?: number }
  | { do: 'get'; key: string }
  /** Raises the number under a key, one compare-and-set at a time, until it has won `wins` times. */
  | { do: 'count'; key: string; wins: number };
export type Answer = { result?: WriteResult; value?: unknown; versions?: number[]; error?: unknown };

/** A real second process with the same LMDB environment open. Answers come in the order of the tasks. */
export class SecondProcess implements AsyncDisposable {
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  /** @param maxFileKiB size at which a file of the process can grow no more, as on a full disk */
  static async open(path: string, { maxFileKiB }: { maxFileKiB?: number } = {}): Promise<SecondProcess> {
    // POSIX counts the limit in blocks of 512 bytes.
    const limit = maxFileKiB === undefined ? '' : `ulimit -f ${maxFileKiB * 2} && `;
    const child = spawn('sh', ['-c', `${limit}exec "$@"`, 'sh', process.execPath, '--import', 'tsx', WRITER, path], {
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    await nextMessage(child);
    return new SecondProcess(child);
  }

  async ask(task: Task): Promise<Answer> {
    const answer = nextMessage(this.child);
    this.child.send(task);
    return answer;
  }

  /** No clean-up of any kind runs in the process. */
  async killHard(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killHard();
  }
}

async function nextMessage(child: ChildProcess): Promise<Answer> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: ended.signal }).then(([message]) => message as Answer),
      once(child, 'exit', { signal: ended.signal }).then(() => {
        throw new Error('the second process ended before it answered');
      }),
    ]);
  } finally {
    ended.abort();
  }
}
