/** Transactions that one request has open at once: while one waits for the database the next is made ready. */
const MAX_OPEN = 2;

/**
 * Runs writes one after the other, or two at a time where their order does not matter. The first failure is thrown by the
 * next call; no write begins after it.
 */
export class OpenWrites {
  readonly #open = new Set<Promise<void>>();
  #ordered = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * Starts a write as soon as it may start, and does not wait for its end.
   * @param ordered true for one that needs all before it to be done, and that all after it wait for
   */
  async start(write: () => Promise<void>, { ordered }: { ordered: boolean }): Promise<void> {
    const most = ordered || this.#ordered ? 1 : MAX_OPEN;
    while (this.#open.size >= most) await Promise.race(this.#open);
    this.#rethrow();
    this.#ordered = ordered;
    const open: Promise<void> = write()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#open.delete(open));
    this.#open.add(open);
  }

  /** Waits until no write is open. Never throws. */
  async settle(): Promise<void> {
    await Promise.all(this.#open);
  }

  /** Waits for all writes. @throws what the first that failed has thrown */
  async finish(): Promise<void> {
    await this.settle();
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
