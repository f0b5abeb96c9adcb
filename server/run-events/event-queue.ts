/**
 * What one subscriber still has to be sent. Durable events queue up to a bound; a subscriber that reads too slowly is cut
 * off rather than let memory grow or hold up others. Ephemeral ones replace the older one of their key.
 */
export class EventQueue<Durable, Ephemeral> {
  readonly #limit: number;
  readonly #lagged: () => Error;
  readonly #durable: Durable[] = [];
  readonly #ephemeral = new Map<string, Ephemeral>();
  #wake: (() => void) | undefined;
  #overflown = false;

  /** @param lagged makes the error with which a subscriber is cut off */
  constructor(limit: number, lagged: () => Error) {
    this.#limit = limit;
    this.#lagged = lagged;
  }

  push(event: Durable): void {
    // Once one event was dropped no later one may be sent: the subscriber would not see the gap.
    if (this.#overflown || this.#durable.length >= this.#limit) this.#overflown = true;
    else this.#durable.push(event);
    this.#wake?.();
  }

  replace(key: string, event: Ephemeral): void {
    this.#ephemeral.set(key, event);
    this.#wake?.();
  }

  /**
   * Everything that waits, durable events first; waits for something up to `timeoutMs`.
   *
   * @throws the error of `lagged` once the queue has overflown and what it held was taken
   */
  async take(timeoutMs: number, signal: AbortSignal): Promise<{ durable: Durable[]; ephemeral: Ephemeral[] }> {
    if (this.#isEmpty() && !signal.aborted) await this.#somethingOr(timeoutMs, signal);
    const durable = this.#durable.splice(0);
    if (durable.length === 0 && this.#overflown) throw this.#lagged();
    const ephemeral = [...this.#ephemeral.values()];
    this.#ephemeral.clear();
    return { durable, ephemeral };
  }

  #isEmpty(): boolean {
    return this.#durable.length === 0 && this.#ephemeral.size === 0 && !this.#overflown;
  }

  #somethingOr(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
