/**
 * Operational state: a key-value store with compare-and-set, the checkpoints of ingestion on top of it, and the inbox of
 * events that wait for the graph. Knows nothing of the graph. Store and inbox are durable (LMDB) or in memory (tests).
 *
 * @example
 * import { CheckpointStore, checkpointKey, createKeyValueStore } from '#kv';
 *
 * await using store = createKeyValueStore({ kind: 'memory' });
 * const checkpoints = new CheckpointStore(store);
 * const key = checkpointKey({ vendor: 'postgres', endpointId: 'crm', unitId: 'orders', sinkId: 'lake' });
 * const { version } = await checkpoints.load(key); // 0: never committed
 * await checkpoints.commit(key, { runId: 'run-1', expectedVersion: version, cursor: null, stats: { rowsRead: 0 } });
 *
 * @example
 * await using inbox = openEventInbox({ kind: 'memory', now: () => new Date() });
 * await inbox.append([Buffer.from('{"eventType":"START"}')], { receivedAt: new Date() });
 * const events = await inbox.read({ after: 0, limit: 500, maxBytes: 4_000_000 });
 * await inbox.remove({ upTo: 1 }); // once the graph has committed them
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
export {
  compareCursorValues,
  fallsBelow,
  ORDERED_FAMILIES,
  type OrderedFamily,
  type Ordering,
} from './cursor-order.js';
export type {
  AppendedRange,
  DeadLetter,
  DeadLetterReason,
  EventInbox,
  InboxEvent,
  InboxSize,
} from './event-inbox.js';
export { EventInboxError } from './event-inbox-error.js';
export type { DrainLease, LeaseGrant, LeaseState } from './event-inbox-lease.js';
export { type EventInboxOptions, openEventInbox } from './event-inbox-open.js';
export type {
  JsonValue,
  KeyValueEntry,
  KeyValueStore,
  VersionedValue,
  WriteCondition,
  WriteResult,
} from './key-value-store.js';
export { KeyValueStoreError } from './key-value-store-error.js';
