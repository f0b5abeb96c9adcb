import type {
  EntityInput,
  EntityReference,
  KnowledgeReceipt,
  KnowledgeWrite,
  LinkInput,
  LinkReference,
} from '#graph-store';
import type { LoadTally } from './load-report.js';
import type { MetadataRow } from './metadata-row.js';

/** Bounds of what is written at once: one transaction of the graph store. */
export const CHUNK_LIMITS = { items: 5_000, bytes: 8 * 1024 * 1024 } as const;

/** Rows that are written together, and where each of them stood. */
export class RowChunk {
  readonly #write = {
    entities: [] as EntityInput[],
    links: [] as LinkInput[],
    deletions: [] as EntityReference[],
    linkDeletions: [] as LinkReference[],
  } satisfies KnowledgeWrite;
  readonly #rows = {
    entities: [] as number[],
    links: [] as number[],
    deletions: [] as number[],
    linkDeletions: [] as number[],
  };
  #bytes = 0;
  #items = 0;

  get items(): number {
    return this.#items;
  }

  get holdsOnlyEntities(): boolean {
    return this.#write.entities.length === this.#items;
  }

  get isFull(): boolean {
    return this.#items === CHUNK_LIMITS.items;
  }

  /** One row always has room: the graph store refuses what no transaction can hold. */
  hasRoomFor(row: MetadataRow): boolean {
    return this.#items === 0 || (!this.isFull && this.#bytes + row.bytes <= CHUNK_LIMITS.bytes);
  }

  add({ row, bytes, request }: MetadataRow): void {
    switch (request.is) {
      case 'entity':
        this.#write.entities.push(request.item);
        this.#rows.entities.push(row);
        break;
      case 'link':
        this.#write.links.push(request.item);
        this.#rows.links.push(row);
        break;
      case 'deletion':
        this.#write.deletions.push(request.item);
        this.#rows.deletions.push(row);
        break;
      case 'linkDeletion':
        this.#write.linkDeletions.push(request.item);
        this.#rows.linkDeletions.push(row);
        break;
      case 'refused':
        throw new TypeError('a refused row cannot be written');
    }
    this.#items += 1;
    this.#bytes += bytes;
  }

  get request(): KnowledgeWrite {
    return this.#write;
  }

  settle(receipt: KnowledgeReceipt, tally: LoadTally): void {
    tally.receive(receipt);
    for (const list of ['entities', 'links', 'deletions', 'linkDeletions'] as const) {
      for (const [index, outcome] of receipt[list].entries()) tally.result(this.#rows[list][index] ?? 0, outcome);
    }
  }
}
