export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
}

/** A list that is fetched page by page while it is read, from the start each time. */
export class PagedList<Item> implements AsyncIterable<Item> {
  readonly #fetch: (after: string | null) => Promise<Page<Item>>;

  constructor(fetch: (after: string | null) => Promise<Page<Item>>) {
    this.#fetch = fetch;
  }

  /** @param after `next` of an earlier page @default the first page */
  page(after: string | null = null): Promise<Page<Item>> {
    return this.#fetch(after);
  }

  async *pages(): AsyncGenerator<Page<Item>, void, void> {
    for (let after: string | null = null; ; ) {
      const page: Page<Item> = await this.#fetch(after);
      yield page;
      if (page.next === null) return;
      after = page.next;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** Everything at once, for lists that are known to be short. */
  async all(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}
