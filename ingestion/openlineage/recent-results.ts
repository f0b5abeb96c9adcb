/** Characters of texts whose results are kept: those of some thousand facets. */
const MOST_CHARACTERS = 4_194_304;

/** Results that follow from texts alone, kept for a while: events of one job tell the same facets again and again. */
export class RecentResults<T> {
  readonly #results = new Map<string, T>();
  #characters = 0;

  /** @returns what `make` has made of the text now or before; nobody may change it */
  of(text: string, make: () => T): T {
    const known = this.#results.get(text);
    if (known !== undefined) return known;
    const result = make();
    this.#characters += text.length;
    if (this.#characters > MOST_CHARACTERS) {
      this.#results.clear();
      this.#characters = text.length;
    }
    this.#results.set(text, result);
    return result;
  }
}
