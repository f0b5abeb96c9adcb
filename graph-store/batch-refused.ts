import { AppError } from '#errors';
import type { Refusal } from './graph-store.js';

/** Where a refused item stands in its batch. */
export interface RefusedItem {
  readonly list: 'entities' | 'edges' | 'deletions' | 'edgeDeletions' | 'purges';
  readonly index: number;
  readonly urn: string;
  readonly refusal: Refusal;
}

/** An atomic batch of which items were refused. Nothing of it was written; every refused item is listed. */
export class BatchRefused extends AppError {
  override readonly name = 'BatchRefused';
  readonly items: readonly RefusedItem[];

  constructor(items: readonly [RefusedItem, ...RefusedItem[]]) {
    const [first] = items;
    super(first.refusal.code, `${first.urn} ${first.refusal.message}`, {
      details: { urn: first.urn, ...first.refusal.details, refused: items.length },
    });
    this.items = items;
  }
}
