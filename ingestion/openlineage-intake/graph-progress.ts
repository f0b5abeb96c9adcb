/** How far the graph has the events of an inbox, as far as this process knows, and who waits for more. */
export class GraphProgress {
  #position = 0;
  #sequence: number | null = null;
  #ended = false;
  readonly #waiting = new Set<{ readonly position: number; readonly settle: (arrived: boolean) => void }>();

  get position(): number {
    return this.#position;
  }

  /** The newest change that is known to hold events of this inbox; null when none is. */
  get sequence(): number | null {
    return this.#sequence;
  }

  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** @param sequence of the change that led there, where it is known and there was one */
  reached(position: number, sequence: number | null): void {
    this.#position = position;
    this.#sequence = sequence ?? this.#sequence;
    for (const waiter of this.#waiting) if (waiter.position <= position) waiter.settle(true);
  }

  /** @returns false when the graph was not there in time, or the process ends */
  async until(position: number, timeoutMs: number): Promise<boolean> {
    if (this.#position >= position) return true;
    if (this.#ended) return false;
    return new Promise((resolve) => {
      const settle = (arrived: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        resolve(arrived);
      };
      const waiter = { position, settle };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#waiting.add(waiter);
    });
  }

  /** Nobody waits from here on. */
  end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting) waiter.settle(false);
  }
}
