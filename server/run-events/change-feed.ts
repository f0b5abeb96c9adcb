import type { Logger } from 'pino';
import type { Change, ChangeLog } from '#graph-store';

export type ChangeListener = (change: Change) => void;

const PAGE = 500;

/**
 * Tails the change log for this process: one reader, however many subscribers. It reads the head first and then up to it,
 * so it delivers every change once and in commit order, whichever process wrote it.
 */
export class ChangeFeed {
  readonly #log: ChangeLog;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #listeners = new Set<ChangeListener>();
  #position = 0;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #joining: Promise<unknown> = Promise.resolve();

  constructor(log: ChangeLog, options: { logger: Logger; intervalMs?: number }) {
    this.#log = log;
    this.#logger = options.logger;
    this.#intervalMs = options.intervalMs ?? 100;
  }

  /**
   * Calls the listener with every change after the returned position. A caller that wants older ones reads them from the
   * log up to that position.
   */
  listen(listener: ChangeListener): Promise<{ position: number; stop: () => void }> {
    // One after the other: of two first listeners the second would move the position on, past changes that the first waits for.
    const joined = this.#joining.then(() => this.#join(listener));
    this.#joining = joined.catch(() => undefined);
    return joined;
  }

  close(): void {
    this.#listeners.clear();
    this.#cancel();
  }

  async #join(listener: ChangeListener): Promise<{ position: number; stop: () => void }> {
    if (this.#listeners.size === 0) {
      await this.#reading;
      // Nobody was listening, so nothing was read: start from now.
      if (this.#listeners.size === 0) this.#position = await this.#log.head();
    }
    this.#listeners.add(listener);
    this.#schedule();
    return {
      position: this.#position,
      stop: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.#cancel();
      },
    };
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#reading = this.#read()
        .catch((error: unknown) =>
          this.#logger.warn({ error: String(error) }, 'the change log cannot be read, trying again'),
        )
        .finally(() => {
          this.#timer = undefined;
          this.#reading = undefined;
          this.#schedule();
        });
    }, this.#intervalMs);
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #read(): Promise<void> {
    const head = await this.#log.head();
    while (this.#position < head) {
      const changes = await this.#log.read({ after: this.#position, upTo: head, limit: PAGE });
      for (const change of changes) this.#deliver(change);
      if (changes.length === 0)
        throw new Error(`the change log has no change after ${this.#position} below its head ${head}`);
    }
  }

  #deliver(change: Change): void {
    if (change.sequence !== this.#position + 1) {
      throw new Error(`the change log goes from ${this.#position} to ${change.sequence}`);
    }
    this.#position = change.sequence;
    for (const listener of this.#listeners) listener(change);
  }
}
