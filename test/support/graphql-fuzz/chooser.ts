import fc from 'fast-check';

/**
 * Takes decisions from a list of numbers. The same numbers decide the same, and 0, also past the end of the list, decides for
 * the simplest: so fast-check shrinks whatever is built from decisions by shrinking the list.
 */
export class Chooser {
  readonly #decisions: readonly number[];
  #next = 0;

  constructor(decisions: readonly number[]) {
    this.#decisions = decisions;
  }

  /** A whole number from 0 to `count` - 1. */
  upTo(count: number): number {
    const decision = this.#decisions[this.#next] ?? 0;
    this.#next += 1;
    return decision % count;
  }

  one<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const chosen = choices[this.upTo(choices.length)];
    if (chosen === undefined && choices.length === 0) throw new RangeError('nothing to choose from');
    return chosen as T;
  }

  /** True once in about `times`; never once the decisions are used up. */
  rarely(times: number): boolean {
    return this.upTo(times) === times - 1;
  }
}

/** Decisions for one thing that is built. */
export const decisions = (length: number): fc.Arbitrary<Chooser> =>
  fc.array(fc.nat(9_999), { minLength: 0, maxLength: length, size: 'max' }).map((list) => new Chooser(list));
