import type { RefusedItem } from './batch-refused.js';
import { edgeKey } from './edge-key.js';
import type { GraphBatch, Refusal } from './graph-store.js';
import { itemsOf, type PlacedItem } from './split-batch.js';

/** Refusals that need no look at the graph. Of an item that is named twice the first stands and the later ones are refused. */
export function refusedOnSight(batch: GraphBatch): RefusedItem[] {
  const refused: RefusedItem[] = [];
  const seen = new Map<string, PlacedItem>();
  const purged = new Set(batch.purges?.map((purge) => purge.urn));
  for (const placed of itemsOf(batch)) {
    const { list, index, item } = placed;
    const key = 'urn' in item ? item.urn : edgeKey(item);
    const earlier = seen.get(key);
    const refusal = earlier === undefined ? purgedEnd(purged, placed) : duplicateOf(earlier);
    if (earlier === undefined) seen.set(key, placed);
    if (refusal !== undefined) refused.push({ list, index, urn: 'urn' in item ? item.urn : item.from, refusal });
  }
  return refused;
}

/** Two items of one node or edge would each be compared with the state before both. */
function duplicateOf({ list, index, item }: PlacedItem): Refusal {
  return {
    code: 'BAD_USER_INPUT',
    field: 'urn' in item ? 'urn' : 'from',
    message: `is in the batch twice, first as element ${index} of ${list}: send it once`,
    details: { list, index },
  };
}

function purgedEnd(purged: ReadonlySet<string>, { list, item }: PlacedItem): Refusal | undefined {
  if (list !== 'edges' || purged.size === 0 || 'urn' in item) return undefined;
  const field = purged.has(item.from) ? 'from' : purged.has(item.to) ? 'to' : undefined;
  return field && { code: 'BAD_USER_INPUT', field, message: 'is an end of an edge that the same batch purges' };
}
