/**
 * Operational state: a key-value store with compare-and-set, and the checkpoints of ingestion on top of it.
 * Knows nothing of the graph. The store is durable (LMDB) or in memory (tests).
 *
 * @example
 * import { CheckpointStore, checkpointKey, createKeyValueStore } from '#kv';
 *
 * await using store = createKeyValueStore({ kind: 'memory' });
 * const checkpoints = new CheckpointStore(store);
 * const key = checkpointKey({ vendor: 'postgres', endpointId: 'crm', unitId: 'orders', sinkId: 'lake' });
 * const { version } = await checkpoints.load(key); // 0: never committed
 * await checkpoints.commit(key, { runId: 'run-1', expectedVersion: version, cursor: null, stats: { rowsRead: 0 } });
 */
export { type CheckpointKeyParts, checkpointKey, parseCheckpointKey } from './checkpoint-key.js';
export {
  type CheckpointCommit,
  type CheckpointCommitResult,
  CheckpointMismatchError,
  CheckpointStore,
  type StoredCheckpoint,
} from './checkpoint-store.js';
export type { CheckpointValue, StoredCursor } from './checkpoint-value.js';
export { createKeyValueStore, type KeyValueStoreOptions } from './create-key-value-store.js';
export { compareCursorValues, type Ordering } from './cursor-order.js';
export type {
  JsonValue,
  KeyValueEntry,
  KeyValueStore,
  VersionedValue,
  WriteCondition,
  WriteResult,
} from './key-value-store.js';
export { KeyValueStoreError } from './key-value-store-error.js';
