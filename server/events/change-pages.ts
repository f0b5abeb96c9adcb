import { AppError } from '#errors';
import type { Change, ChangeLog } from '#graph-store';

/** Changes to a block. Blocks begin at multiples of it, so readers with different cursors still read the same ones. */
const BLOCK = 64;

/** What is kept in memory besides the latest changes, in items and in characters of their JSON. */
const KEPT_ITEMS = 50_000;
const KEPT_SIZE = 48 * 1024 * 1024;

/** Characters of the latest changes, but for the very latest one, which may be larger. */
const TAIL_SIZE = 16 * 1024 * 1024;

interface Block {
  readonly changes: readonly Change[];
  readonly items: number;
  readonly size: number;
}

/**
 * The change log as many readers see it at once. What was read last stays in memory by blocks, so a crowd of clients that
 * comes back after a restart costs as many reads as there are blocks, not as there are clients.
 */
export class ChangePages {
  readonly #log: ChangeLog;
  readonly #blocks = new Map<number, Block>();
  readonly #loading = new Map<number, Promise<Block | undefined>>();
  #keptItems = 0;
  #keptSize = 0;
  /** The latest changes, of one block, all those after `#tailStart`. */
  #tail: Change[] = [];
  #tailSize = 0;
  #tailStart = 0;
  #filling: Promise<void> | undefined;
  /** Grows when what was read before must not be kept. */
  #generation = 0;

  constructor(log: ChangeLog) {
    this.#log = log;
  }

  /** Forgets everything; the changes after `position` will be appended. */
  startAt(position: number): void {
    this.#generation += 1;
    this.#blocks.clear();
    this.#loading.clear();
    this.#filling = undefined;
    this.#keptItems = 0;
    this.#keptSize = 0;
    this.#emptyTail(position);
  }

  /** Takes the next change of the log. */
  append(change: Change): void {
    this.#tail.push(change);
    this.#tailSize += change.size;
    // A purge has removed values from older changes in the log; copies of them must go as well.
    if (change.items.some((item) => item.operation === 'purged')) this.startAt(change.sequence);
    else if (change.sequence % BLOCK === 0) this.#closeTail(change.sequence);
    else this.#trimTail();
  }

  /**
   * Some of the changes after `after`, at least the first, none after `upTo`. There must be one. A whole block is always the same array.
   *
   * @throws AppError CURSOR_EXPIRED when retention has removed them; STORE_UNAVAILABLE when they cannot be read
   */
  async read(after: number, upTo: number): Promise<readonly Change[]> {
    const number = Math.floor(after / BLOCK);
    const end = Math.min((number + 1) * BLOCK, upTo);
    if (after < this.#tailStart && Math.floor(this.#tailStart / BLOCK) === number) await this.#fillTail();
    const recent = this.#recent(after, end);
    if (recent !== undefined) return recent;
    const block = end % BLOCK === 0 ? await this.#block(number) : undefined;
    if (block !== undefined) return after % BLOCK === 0 ? block.changes : block.changes.slice(after % BLOCK);
    const changes = await this.#log.read({ after, upTo: end, limit: BLOCK });
    if (changes.length > 0) return changes;
    throw new AppError('STORE_UNAVAILABLE', `the change log could not be read after ${after}`, {
      details: { store: 'neo4j' },
    });
  }

  /** As `read`, of what is in memory without waiting. */
  #recent(after: number, end: number): readonly Change[] | undefined {
    if (after < this.#tailStart || after >= this.#tailStart + this.#tail.length) return undefined;
    return this.#tail.slice(after - this.#tailStart, end - this.#tailStart);
  }

  #closeTail(end: number): void {
    if (this.#tail.length === BLOCK) this.#keep(end / BLOCK - 1, this.#tail);
    this.#emptyTail(end);
  }

  #emptyTail(start: number): void {
    this.#tail = [];
    this.#tailSize = 0;
    this.#tailStart = start;
  }

  /** Lets go of the oldest: who still needs them reads the log. */
  #trimTail(): void {
    let spare = 0;
    while (this.#tailSize > TAIL_SIZE && spare < this.#tail.length - 1) {
      this.#tailSize -= this.#tail[spare]?.size ?? 0;
      spare += 1;
    }
    if (spare === 0) return;
    this.#tail.splice(0, spare);
    this.#tailStart += spare;
  }

  /** Reads what the tail lacks at its beginning, once for all who need it. */
  async #fillTail(): Promise<void> {
    const generation = this.#generation;
    const upTo = this.#tailStart;
    const after = Math.floor(upTo / BLOCK) * BLOCK;
    this.#filling ??= this.#whole(after, upTo)
      .then((changes) => {
        if (changes === undefined || generation !== this.#generation || this.#tailStart !== upTo) return;
        const { size } = blockOf(changes);
        if (this.#tailSize + size > TAIL_SIZE) return;
        this.#tail.unshift(...changes);
        this.#tailSize += size;
        this.#tailStart = after;
      })
      .finally(() => {
        if (generation === this.#generation) this.#filling = undefined;
      });
    await this.#filling;
  }

  async #block(number: number): Promise<Block | undefined> {
    const kept = this.#blocks.get(number);
    if (kept !== undefined) {
      this.#blocks.delete(number);
      this.#blocks.set(number, kept);
      return kept;
    }
    const generation = this.#generation;
    const loading =
      this.#loading.get(number) ??
      this.#whole(number * BLOCK, (number + 1) * BLOCK)
        .then((changes) => {
          if (changes === undefined) return undefined;
          return generation === this.#generation ? this.#keep(number, changes) : blockOf(changes);
        })
        .finally(() => {
          if (generation === this.#generation) this.#loading.delete(number);
        });
    this.#loading.set(number, loading);
    return loading;
  }

  /** All changes of a range; undefined when the log gives fewer: they are too large for one read, or the first have expired. */
  async #whole(after: number, upTo: number): Promise<Change[] | undefined> {
    try {
      const changes = await this.#log.read({ after, upTo, limit: BLOCK });
      return changes.length === upTo - after ? changes : undefined;
    } catch (error) {
      if (error instanceof AppError && error.code === 'CURSOR_EXPIRED') return undefined;
      throw error;
    }
  }

  #keep(number: number, changes: readonly Change[]): Block {
    const block = blockOf(changes);
    this.#blocks.set(number, block);
    this.#keptItems += block.items;
    this.#keptSize += block.size;
    for (const [oldest, { items, size }] of this.#blocks) {
      if ((this.#keptItems <= KEPT_ITEMS && this.#keptSize <= KEPT_SIZE) || oldest === number) break;
      this.#blocks.delete(oldest);
      this.#keptItems -= items;
      this.#keptSize -= size;
    }
    return block;
  }
}

function blockOf(changes: readonly Change[]): Block {
  return {
    changes,
    items: changes.reduce((total, { items }) => total + items.length, 0),
    size: changes.reduce((total, { size }) => total + size, 0),
  };
}
