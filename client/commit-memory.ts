/** Tokens in one `Nucleus-Read-After` header: few enough for every proxy's bound on headers. */
const MOST_TOKENS = 50;

/**
 * The commits of a client's own writes, so that its reads see them. Tokens cannot be compared, yet a write that began
 * after another one was answered has the later commit: only tokens of writes that overlapped are kept side by side.
 */
export class CommitMemory {
  /** When each token was learnt, the latest last. */
  readonly #tokens = new Map<string, number>();
  #clock = 0;
  #condensing: Promise<void> | undefined;

  /** Call when a write begins; the mark goes to `remember`. */
  begin(): number {
    this.#clock += 1;
    return this.#clock;
  }

  /**
   * @param replayed the answer is that of an earlier request, so its commit may lie before those already known
   */
  remember(token: string | null, begun: number, options: { replayed: boolean }): void {
    if (token === null) return;
    if (!options.replayed) {
      for (const [known, since] of this.#tokens) {
        if (since > begun) break;
        this.#tokens.delete(known);
      }
    }
    this.#learn(token);
  }

  /** Value of the `Nucleus-Read-After` header; undefined before the first commit. It is short once `condense` is through. */
  get header(): string | undefined {
    return this.#tokens.size === 0 ? undefined : headerOf([...this.#tokens.keys()]);
  }

  /**
   * Brings many tokens down to a few: a head of the change log that was read after some of them stands for those. Calls at the
   * same time share the reads.
   *
   * @param headAfter reads the head, given the value of the header
   */
  condense(headAfter: (header: string) => Promise<string>): Promise<void> {
    if (this.#tokens.size <= MOST_TOKENS) return Promise.resolve();
    this.#condensing ??= this.#condense(headAfter).finally(() => {
      this.#condensing = undefined;
    });
    return this.#condensing;
  }

  async #condense(headAfter: (header: string) => Promise<string>): Promise<void> {
    while (this.#tokens.size > MOST_TOKENS) {
      const oldest = [...this.#tokens].slice(0, MOST_TOKENS);
      const head = await headAfter(headerOf(oldest.map(([token]) => token)));
      for (const [token, since] of oldest) if (this.#tokens.get(token) === since) this.#tokens.delete(token);
      this.#learn(head);
    }
  }

  #learn(token: string): void {
    this.#clock += 1;
    this.#tokens.delete(token);
    this.#tokens.set(token, this.#clock);
  }
}

function headerOf(tokens: readonly string[]): string {
  return tokens.join(', ');
}
