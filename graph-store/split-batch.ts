import { AppError } from '#errors';
import type { RefusedItem } from './batch-refused.js';
import {
  type Deletion,
  type EdgeDeletion,
  type EdgeUpsert,
  type EntityUpsert,
  type GraphBatch,
  WRITE_LIMITS,
} from './graph-store.js';
import type { PropertyValue } from './property-values.js';

interface ListTypes {
  entities: EntityUpsert;
  deletions: Deletion;
  edges: EdgeUpsert;
  edgeDeletions: EdgeDeletion;
  purges: Deletion;
}
export type ListName = keyof ListTypes;
export type BatchItem = ListTypes[ListName];

/** In the order in which they take effect: nodes before the edges between them, and what is purged goes last. */
const BATCH_LISTS = ['entities', 'deletions', 'edges', 'edgeDeletions', 'purges'] as const satisfies ListName[];

/** An item with its place in its list of the whole batch. */
interface Placed<T> {
  readonly index: number;
  readonly item: T;
}

/** What one transaction writes of a batch. */
export type Chunk = { readonly [List in ListName]: Placed<ListTypes[List]>[] };

export type PlacedItem = Placed<BatchItem> & { readonly list: ListName };

/** All items of a batch, in the order in which they take effect. */
export function* itemsOf(batch: GraphBatch): Generator<PlacedItem> {
  for (const list of BATCH_LISTS) {
    let index = 0;
    for (const item of batch[list] ?? []) {
      yield { list, index, item };
      index += 1;
    }
  }
}

/** All items of a chunk. */
export function placedItems(chunk: Chunk): PlacedItem[] {
  return BATCH_LISTS.flatMap((list): PlacedItem[] => chunk[list].map((placed) => ({ list, ...placed })));
}

/** @throws AppError PAYLOAD_TOO_LARGE when one transaction cannot hold the batch */
export function wholeBatch(batch: GraphBatch): Chunk {
  const chunk = unboundedChunk(batch);
  const items = placedItems(chunk);
  refuseOver('items', items.length);
  refuseOver(
    'bytes',
    items.reduce((bytes, { item }) => bytes + bytesOf(item), 0),
  );
  return chunk;
}

/** For writers that have bounded what they write by a rule of their own. */
export function unboundedChunk(batch: GraphBatch): Chunk {
  const chunk = emptyChunk();
  for (const placed of itemsOf(batch)) place(chunk, placed);
  return chunk;
}

/**
 * Chunks that each fit into one transaction, in the order in which they are to be written. There is always one at least.
 * An item that no transaction can hold is refused.
 * @param isLeftOut items that are refused already
 */
export function splitBatch(
  batch: GraphBatch,
  isLeftOut: (list: ListName, index: number) => boolean,
): { chunks: Chunk[]; refused: RefusedItem[] } {
  let chunk = emptyChunk();
  let items = 0;
  let bytes = 0;
  const chunks = [chunk];
  const refused: RefusedItem[] = [];
  for (const placed of itemsOf(batch)) {
    if (isLeftOut(placed.list, placed.index)) continue;
    const size = bytesOf(placed.item);
    if (size > WRITE_LIMITS.bytes) {
      refused.push(tooLarge(placed, size));
      continue;
    }
    if (items === WRITE_LIMITS.items || bytes + size > WRITE_LIMITS.bytes) {
      chunk = emptyChunk();
      chunks.push(chunk);
      items = 0;
      bytes = 0;
    }
    place(chunk, placed);
    items += 1;
    bytes += size;
  }
  return { chunks, refused };
}

function emptyChunk(): Chunk {
  return { entities: [], deletions: [], edges: [], edgeDeletions: [], purges: [] };
}

function place(chunk: Chunk, placed: PlacedItem): void {
  (chunk[placed.list] as Placed<BatchItem>[]).push(placed);
}

/** Size of an item as `WRITE_LIMITS` counts it. */
function bytesOf(item: BatchItem): number {
  let bytes = 'urn' in item ? Buffer.byteLength(item.urn) : Buffer.byteLength(item.from) + Buffer.byteLength(item.to);
  if ('name' in item && item.name !== undefined) bytes += Buffer.byteLength(item.name);
  if ('properties' in item && item.properties !== undefined) bytes += bytesOfProperties(item.properties);
  if ('initial' in item && item.initial !== undefined) bytes += bytesOfProperties(item.initial);
  return bytes;
}

function bytesOfProperties(properties: Readonly<Record<string, PropertyValue | null>>): number {
  let bytes = 0;
  for (const key in properties) {
    const value = properties[key];
    bytes += key.length;
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (Array.isArray(value)) for (const text of value) bytes += Buffer.byteLength(text);
    else bytes += 8;
  }
  return bytes;
}

function refuseOver(limit: keyof typeof WRITE_LIMITS, actual: number): void {
  const value = WRITE_LIMITS[limit];
  if (actual <= value) return;
  throw new AppError(
    'PAYLOAD_TOO_LARGE',
    `a batch that is written as a whole holds ${value} ${limit} at most, this one has ${actual}: send several, or one that is not atomic`,
    { details: { limit, value, actual } },
  );
}

function tooLarge({ list, index, item }: PlacedItem, actual: number): RefusedItem {
  const value = WRITE_LIMITS.bytes;
  return {
    list,
    index,
    urn: 'urn' in item ? item.urn : item.from,
    refusal: {
      code: 'BAD_USER_INPUT',
      field: 'properties',
      message: `have ${actual} bytes, more than the ${value} of a whole transaction: send less`,
      details: { limit: 'bytes', value, actual },
    },
  };
}
