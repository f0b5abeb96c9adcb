import type { Logger } from 'pino';
import { AppError, InputError } from '#errors';
import type { Change, ChangeLog } from '#graph-store';
import { ChangePages } from './change-pages.js';

/** Changes to one read of the log. */
const PAGE = 500;

/**
 * Tails the change log for this process: one reader, however many subscribers, and none while there are none. It reads the
 * head first and then up to it, so it comes to every change once and in commit order, whichever process wrote it.
 */
export class ChangeFeed {
  readonly #log: ChangeLog;
  readonly #pages: ChangePages;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #listeners = new Set<() => void>();
  #started: Promise<void> | undefined;
  #position = 0;
  /** The latest sequence that is known to be committed. */
  #announced = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  /** @param options `intervalMs` is how often it looks for what other processes have written. @default 50 */
  constructor(log: ChangeLog, options: { logger: Logger; intervalMs?: number }) {
    this.#log = log;
    this.#pages = new ChangePages(log);
    this.#logger = options.logger;
    this.#intervalMs = options.intervalMs ?? 50;
  }

  /** Sequence of the latest change that it has come to. Meaningful for those who have joined. */
  get position(): number {
    return this.#position;
  }

  /**
   * Calls the listener whenever the position has moved on, until `leave` is called.
   *
   * @throws AppError STORE_UNAVAILABLE when the log cannot be read at the start
   */
  async join(listener: () => void): Promise<{ leave: () => void }> {
    this.#listeners.add(listener);
    const leave = () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#wake?.();
    };
    try {
      this.#started ??= this.#start();
      await this.#started;
      return { leave };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * Some of the changes after `after`, at least one, none after `upTo`; `after < upTo <= position`.
   *
   * @throws AppError CURSOR_EXPIRED when retention has removed them
   */
  read(after: number, upTo: number): Promise<readonly Change[]> {
    return this.#pages.read(after, upTo);
  }

  /** Says that a change is committed, for instance by this process, so that it is read at once. */
  announce(sequence: number): void {
    if (sequence <= this.#announced) return;
    this.#announced = sequence;
    this.#wake?.();
  }

  /**
   * Makes sure that the log has come to a sequence, which another process may have told to a client.
   *
   * @throws InputError when it has not: then the sequence is of another graph
   */
  async require(sequence: number): Promise<void> {
    if (sequence <= this.#position || sequence <= this.#announced) return;
    this.announce(await this.#log.head());
    if (sequence > this.#announced) {
      throw InputError.one('BAD_USER_INPUT', 'after', 'lies ahead of the change log: it is of another graph');
    }
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#wake?.();
  }

  async #start(): Promise<void> {
    try {
      this.#position = await this.#log.head();
    } catch (error) {
      this.#started = undefined;
      throw error;
    }
    this.#announced = this.#position;
    this.#pages.startAt(this.#position);
    void this.#tail();
  }

  async #tail(): Promise<void> {
    while (this.#listeners.size > 0 && !this.#closed) {
      const failed = await this.#advance().then(
        () => false,
        (error: unknown) => this.#recover(error),
      );
      await this.#pause(() => !failed && this.#announced > this.#position);
    }
    // From here on nobody counts on the position, so the next listener starts anew.
    this.#started = undefined;
  }

  async #advance(): Promise<void> {
    const target = this.#announced > this.#position ? this.#announced : await this.#log.head();
    while (this.#position < target) {
      const changes = await this.#log.read({ after: this.#position, upTo: target, limit: PAGE });
      if (changes.length === 0) throw new Error(`the change log ends at ${this.#position}, below its head ${target}`);
      for (const change of changes) {
        if (change.sequence !== this.#position + 1) {
          throw new Error(`the change log goes from ${this.#position} to ${change.sequence}`);
        }
        this.#position = change.sequence;
        this.#pages.append(change);
      }
      this.#tell();
    }
  }

  /** @returns whether the log is to be left alone for a while */
  async #recover(error: unknown): Promise<boolean> {
    this.#logger.warn({ error: String(error) }, 'the change log cannot be read, trying again');
    if (!(error instanceof AppError && error.code === 'CURSOR_EXPIRED')) return true;
    // This process stood still for longer than the retention. Readers learn it when they ask for what is gone.
    const head = await this.#log.head().catch(() => undefined);
    if (head === undefined) return true;
    this.#position = head;
    this.#pages.startAt(head);
    this.#tell();
    return false;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Waits for the interval, or less: until something is announced or nobody listens any more. */
  #pause(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, this.#intervalMs);
      this.#wake = () => {
        if (isOver() || this.#listeners.size === 0) end();
      };
      this.#wake();
    });
  }
}
