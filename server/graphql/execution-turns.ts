/**
 * Lets a number of executions run at once; others wait for their turn. A client that takes an operation back ends the wait for its
 * answer, not the work on it: without turns one connection could so keep all of the store's connections at work.
 *
 * @example
 * const result = await turns.take(() => execute(args));
 */
export class ExecutionTurns {
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Runs `work` when it is its turn, in the order of the calls; rejects as `work` does. */
  async take<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The turn goes over to the next one, so nobody who comes in between can take it.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
