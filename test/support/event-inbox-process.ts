import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Acknowledged, Answer, Message, Task } from './event-inbox-child.js';

const CHILD = fileURLToPath(new URL('./event-inbox-child.ts', import.meta.url));

/** A real second process that has an inbox open. One task at a time. */
export class InboxProcess implements AsyncDisposable {
  /** Every append that the process has reported as acknowledged. */
  readonly acknowledged: Acknowledged[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #answered: (answer: Answer) => void = () => {};
  #acknowledgedSome: () => void = () => {};

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'exit');
    child.on('message', (message: Message) => {
      if (message.acknowledged === undefined) return this.#answered(message);
      this.acknowledged.push(message.acknowledged);
      this.#acknowledgedSome();
    });
  }

  /** @param maxFileKiB size at which a file of the process can grow no more, as on a full disk */
  static async open(path: string, { maxFileKiB }: { maxFileKiB?: number } = {}): Promise<InboxProcess> {
    // POSIX counts the limit in blocks of 512 bytes.
    const limit = maxFileKiB === undefined ? '' : `ulimit -f ${maxFileKiB * 2} && `;
    const child = spawn('sh', ['-c', `${limit}exec "$@"`, 'sh', process.execPath, '--import', 'tsx', CHILD, path], {
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    const opened = new InboxProcess(child);
    await opened.#next();
    return opened;
  }

  async ask(task: Task): Promise<Answer> {
    const answer = this.#next();
    this.#child.send(task);
    return answer;
  }

  /** Lets the process append without end, and kills it, with no clean-up, once it has reported some acknowledgements. */
  async floodAndKill(writer: string, acknowledgements: number): Promise<void> {
    const reported = new Promise<void>((resolve) => {
      this.#acknowledgedSome = () => {
        if (this.acknowledged.length >= acknowledgements) resolve();
      };
    });
    this.#child.send({ do: 'flood', writer, connections: 8, batches: Number.MAX_SAFE_INTEGER } satisfies Task);
    await Promise.race([reported, this.#ended()]);
    await this.killHard();
  }

  async killHard(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killHard();
  }

  #next(): Promise<Answer> {
    const answered = new Promise<Answer>((resolve) => {
      this.#answered = resolve;
    });
    return Promise.race([answered, this.#ended()]);
  }

  async #ended(): Promise<never> {
    await this.#exit;
    throw new Error('the other process ended before it answered');
  }
}
