import { AppError } from '#errors';
import type { KindDefinition } from '#graph-schema';
import { edgeKey, type KindRegistry, type KnowledgeWriter, type WriteContext } from '#graph-store';
import { type LoadReport, LoadTally } from './load-report.js';
import { type MetadataRow, type MetadataRows, type RowRequest, urnOfKey } from './metadata-row.js';
import { OpenWrites } from './open-writes.js';
import { CHUNK_LIMITS, RowChunk } from './row-chunk.js';
import { overLimit } from './row-limits.js';
import { SeenItems } from './seen-items.js';

export interface LoadOptions {
  /** All or nothing, within one transaction. @default false */
  readonly atomic?: boolean | undefined;
  /** @default false: a link to what does not exist is refused */
  readonly allowPlaceholders?: boolean | undefined;
  /** With the number of the transaction it makes the key of each, so an input that broke off can be sent again. */
  readonly idempotencyKey?: string | undefined;
  /** Errors to report one by one; more are counted. */
  readonly maxErrors: number;
  /** Bytes of all values: dictionaries and views can make far more of a body than it has. */
  readonly maxValueBytes: number;
}

export interface LoadDependencies {
  readonly writer: KnowledgeWriter;
  readonly kinds: KindRegistry;
}

/**
 * Writes rows as they come, a transaction at a time; only what three transactions hold is in memory. An item may be named
 * once in all rows. Where chunks end follows from the rows alone, so the same input again makes the same transactions.
 *
 * @throws AppError PAYLOAD_TOO_LARGE over a bound; what was written before stays, and `details.written` counts it
 * @throws AppError of the reader or the graph store, likewise
 */
export async function loadRows(
  rows: MetadataRows,
  { writer, kinds }: LoadDependencies,
  context: WriteContext,
  options: LoadOptions,
): Promise<LoadReport> {
  const load = new Load(writer, kinds, context, options);
  return load.run(rows);
}

/** Kinds to look up for one request: more are none that exist. */
const MAX_KINDS = 1_000;

class Load {
  readonly #writer: KnowledgeWriter;
  readonly #kinds: KindRegistry;
  readonly #context: WriteContext;
  readonly #options: LoadOptions;
  readonly #tally: LoadTally;
  readonly #seen = new SeenItems();
  readonly #definitions = new Map<string, KindDefinition | undefined>();
  readonly #writes = new OpenWrites();
  #chunk = new RowChunk();
  #chunks = 0;
  #valueBytes = 0;
  #refused = 0;

  constructor(writer: KnowledgeWriter, kinds: KindRegistry, context: WriteContext, options: LoadOptions) {
    this.#writer = writer;
    this.#kinds = kinds;
    this.#context = context;
    this.#options = options;
    this.#tally = new LoadTally(options.maxErrors);
  }

  async run(rows: MetadataRows): Promise<LoadReport> {
    try {
      for await (const slice of rows) {
        await this.#learnKinds(slice);
        for (const row of slice) {
          if (!this.#isWanted(row)) continue;
          if (!this.#chunk.hasRoomFor(row)) await this.#next();
          this.#chunk.add(row);
          // At once, not with the next row: that may be long in coming.
          if (this.#chunk.isFull && !this.#options.atomic) await this.#next();
        }
      }
      await this.#finish();
    } catch (error) {
      throw await this.#withProgress(error);
    }
    return this.#tally.report();
  }

  #isWanted({ row, bytes, request }: MetadataRow): boolean {
    this.#valueBytes += bytes;
    const { maxValueBytes } = this.#options;
    if (this.#valueBytes > maxValueBytes) throw overLimit('values too large', 'valueBytes', maxValueBytes);
    if (request.is === 'refused') {
      this.#refuse(row, request.refusal);
      return false;
    }
    if (this.#seen.add(this.#nameOf(request))) return true;
    const message = 'names an item that an earlier row names: write each entity and each link once';
    this.#refuse(row, { code: 'BAD_USER_INPUT', field: '', message });
    return false;
  }

  #refuse(row: number, refusal: Parameters<LoadTally['refuse']>[1]): void {
    this.#refused += 1;
    this.#tally.refuse(row, refusal);
  }

  /** Hands on what there is, and begins anew. */
  async #next(): Promise<void> {
    if (this.#options.atomic) throw overAtomicBounds();
    await this.#start();
  }

  async #finish(): Promise<void> {
    if (this.#options.atomic && this.#refused > 0) this.#tally.holdBack(this.#chunk.items);
    else if (this.#chunk.items > 0) await this.#start();
    await this.#writes.finish();
  }

  async #start(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = new RowChunk();
    this.#chunks += 1;
    const number = this.#chunks;
    // Links need their ends, and a deletion what it deletes. No entity is named twice, so entities alone need no order.
    await this.#writes.start(() => this.#write(chunk, number), { ordered: !chunk.holdsOnlyEntities });
  }

  async #write(chunk: RowChunk, number: number): Promise<void> {
    const { atomic, allowPlaceholders, idempotencyKey } = this.#options;
    const receipt = await this.#writer.write(chunk.request, this.#context, {
      atomic,
      allowPlaceholders,
      idempotencyKey: idempotencyKey === undefined ? undefined : `${idempotencyKey}#${number}`,
    });
    chunk.settle(receipt, this.#tally);
  }

  /** Entities that are named by their key have a urn only with their kind. */
  async #learnKinds(slice: readonly MetadataRow[]): Promise<void> {
    for (const { request } of slice) {
      if (request.is !== 'entity' || request.item.urn || !request.item.kind) continue;
      const { kind } = request.item;
      if (!this.#definitions.has(kind) && this.#definitions.size < MAX_KINDS)
        this.#definitions.set(kind, await this.#kinds.find(kind));
    }
  }

  #nameOf(request: Exclude<RowRequest, { is: 'refused' }>): string {
    switch (request.is) {
      case 'entity': {
        const { urn, kind, key } = request.item;
        if (urn) return urn;
        const definition = kind ? this.#definitions.get(kind) : undefined;
        return (definition && key && urnOfKey(definition, key)) ?? JSON.stringify([kind, key]);
      }
      case 'deletion':
        return request.item.urn;
      default:
        return edgeKey(request.item);
    }
  }

  /** What was written stays written; the caller learns how much that is. */
  async #withProgress(error: unknown): Promise<unknown> {
    await this.#writes.settle();
    if (!(error instanceof AppError) || this.#tally.transactions === 0) return error;
    const { rows, counts } = this.#tally.report();
    return new AppError(error.code, error.message, {
      details: { ...error.details, written: { rows, ...counts } },
      cause: error,
    });
  }
}

function overAtomicBounds(): AppError {
  const { items, bytes } = CHUNK_LIMITS;
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `an atomic request holds at most ${items} rows and ${bytes} bytes: send less, or leave atomic out`,
    { details: { limit: 'atomic', items, bytes } },
  );
}
