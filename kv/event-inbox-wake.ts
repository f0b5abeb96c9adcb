import { BroadcastChannel } from 'node:worker_threads';

/**
 * Tells waiters of this process, in whichever thread, how far the inbox has grown. An announcement is never missed: the newest is
 * remembered.
 */
export class AppendSignal {
  #announced = 0;
  #ended = false;
  readonly #sleepers = new Set<() => void>();
  readonly #others: BroadcastChannel;

  /** @param inboxId by which those who have the same inbox open hear of each other */
  constructor(inboxId: string) {
    this.#others = new BroadcastChannel(`appended to event inbox ${inboxId}`);
    this.#others.onmessage = ({ data: head }) => this.#take(head);
    this.#others.unref();
  }

  announce(head: number): void {
    if (!this.#ended) this.#others.postMessage(head);
    this.#take(head);
  }

  /** Nobody sleeps from here on. */
  end(): void {
    this.#ended = true;
    this.#others.close();
    this.#wakeAll();
  }

  #take(head: number): void {
    this.#announced = Math.max(this.#announced, head);
    this.#wakeAll();
  }

  /**
   * Resolves at an announcement, at once if there was one beyond `after`, or when the time is over.
   * @throws the reason of the signal when it is aborted
   */
  async sleep(after: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#ended || this.#announced > after) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      signal?.addEventListener('abort', wake);
      this.#sleepers.add(wake);
    });
    signal?.throwIfAborted();
  }

  #wakeAll(): void {
    for (const wake of [...this.#sleepers]) wake();
  }
}

/** Other processes cannot announce anything here, so their appends are found by looking, every `pollMs`. */
export async function waitForAppend(
  inbox: { head(): Promise<number> },
  appended: AppendSignal,
  options: { after: number; pollMs: number; signal?: AbortSignal },
): Promise<void> {
  while ((await inbox.head()) <= options.after) await appended.sleep(options.after, options.pollMs, options.signal);
}
