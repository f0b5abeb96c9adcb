import type { RefusedItem } from './batch-refused.js';
import type { EdgeResult, GraphBatch, ItemResult, WriteReceipt } from './graph-store.js';
import type { ListName } from './split-batch.js';
import type { ChunkAnswer } from './write-request.js';

/** Puts together what the transactions of one batch answer. */
export class WriteReceiptBuilder {
  readonly #batch: GraphBatch;
  readonly #results: Record<ListName, (ItemResult | EdgeResult)[]>;
  readonly #refusedEntities = new Set<string>();
  #sequence: number | null = null;
  #transactions = 0;
  #replayed = true;

  constructor(batch: GraphBatch) {
    this.#batch = batch;
    this.#results = { entities: [], deletions: [], edges: [], edgeDeletions: [], purges: [] };
  }

  /** Entities that were refused so far. */
  get refusedEntities(): ReadonlySet<string> {
    return this.#refusedEntities;
  }

  isRefused(list: ListName, index: number): boolean {
    return this.#results[list][index] !== undefined;
  }

  /** An item that was refused before the graph was looked at, so its version is not known. */
  refuse({ list, index, urn, refusal }: RefusedItem): void {
    const item = this.#batch[list]?.[index];
    const edge = item !== undefined && 'to' in item ? { kind: item.kind, to: item.to } : {};
    this.#results[list][index] = { urn, ...edge, outcome: 'refused', version: 0, refusal };
    if (list === 'entities') this.#refusedEntities.add(urn);
  }

  add({ sequence, results }: ChunkAnswer, replayed: boolean): void {
    for (const { list, index, result } of results) {
      this.#results[list][index] = result;
      if (list === 'entities' && result.outcome === 'refused') this.#refusedEntities.add(result.urn);
    }
    this.#sequence = sequence ?? this.#sequence;
    this.#transactions += 1;
    this.#replayed &&= replayed;
  }

  receipt(): WriteReceipt {
    const { entities, edges, deletions, edgeDeletions, purges } = this.#results;
    return {
      sequence: this.#sequence,
      transactions: this.#transactions,
      replayed: this.#replayed,
      entities,
      edges: edges as EdgeResult[],
      deletions,
      edgeDeletions: edgeDeletions as EdgeResult[],
      purges,
    };
  }
}
