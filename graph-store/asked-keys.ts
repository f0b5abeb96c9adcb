import type { EdgeDeletion, EdgeUpsert, EntityUpsert } from './graph-store.js';

/** What a plan needs to know of every node and edge, whatever its item names. */
const OWN_KEYS = ['version', 'deletedAt'];
/** What is written needs it, for the chain of changes. */
const CHAIN_KEY = 'lastChange';

type Item = Partial<EntityUpsert> | EdgeUpsert | EdgeDeletion;

/**
 * The properties that the items of a batch name, as few lists for many items: most items of a batch name the same ones, and
 * what is not asked for need not be sent.
 */
export class AskedKeys {
  /** By the name that a row is given; a parameter of the statement. */
  readonly lists: Record<string, readonly string[]> & { own: readonly string[] };
  readonly #own: readonly string[];
  readonly #names = new Map<string, string>();

  /** @param toWrite whether what is looked at may be written: a look that only compares asks for less */
  constructor(toWrite: boolean) {
    this.#own = toWrite ? [...OWN_KEYS, CHAIN_KEY] : OWN_KEYS;
    this.lists = { own: this.#own };
  }

  /** What is asked of the ends of edges about which something is odd; of this item no more is asked. */
  addToEnds(item: EntityUpsert): void {
    const known = new Set(this.lists.own);
    const added = keysOf(item).filter((key) => !known.has(key));
    if (added.length > 0) this.lists.own = [...this.lists.own, ...added];
  }

  nameFor(item: Item): string {
    const keys = [...this.#own, ...keysOf(item)];
    const text = keys.join('\n');
    const present = this.#names.get(text);
    if (present !== undefined) return present;
    const name = `keys${this.#names.size}`;
    this.#names.set(text, name);
    this.lists[name] = keys;
    return name;
  }

  /** The properties that a row's values stand for. */
  properties(name: string, values: readonly unknown[]): Record<string, unknown> {
    // Without a prototype: users may call a property `constructor`.
    const properties = Object.create(null) as Record<string, unknown>;
    const keys = this.lists[name] ?? [];
    for (let place = 0; place < keys.length; place += 1) {
      const key = keys[place];
      if (key !== undefined) properties[key] = values[place] ?? undefined;
    }
    return properties;
  }
}

function keysOf(item: Item): string[] {
  const { name: caption, properties, initial, required = [] } = item as Partial<EntityUpsert>;
  const keys = caption === undefined ? [] : ['name'];
  for (const key in properties) keys.push(key);
  for (const key in initial) keys.push(key);
  return [...keys, ...required];
}
