import { hash } from 'node:crypto';

/**
 * Which items a request has named so far. The digest stands for the name, since a million urns would take too much memory;
 * at 128 bits two names with one digest do not occur.
 */
export class SeenItems {
  readonly #digests = new Set<string>();

  /** @returns false when it was named before */
  add(name: string): boolean {
    const digest = hash('sha256', name, 'binary').slice(0, 16);
    if (this.#digests.has(digest)) return false;
    this.#digests.add(digest);
    return true;
  }
}
