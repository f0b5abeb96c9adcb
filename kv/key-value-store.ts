/** What a store can hold: JSON, and nothing that JSON would silently change. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export type VersionedValue = { value: JsonValue; version: number };
export type KeyValueEntry = VersionedValue & { key: string };

export type WriteCondition = {
  /**
   * Write only if the key is at this version now; 0 means only if it does not exist.
   * @default unconditional
   */
  ifVersion?: number;
};

/**
 * Outcome of a write. `version` is the key's version after the call, 0 when the key does not exist. `ok: false` means
 * that the condition did not hold and nothing was written.
 */
export type WriteResult = { ok: true; version: number } | { ok: false; version: number };

/**
 * Operational state by key, with compare-and-set per key.
 *
 * - A key is 1 to 1978 bytes of well-formed text without control characters. Keys order by code point.
 * - Versions belong to a key. They start at 1 and grow by 1 with every put, also across a delete: a key that is deleted
 *   at version 3 and written again is at version 4, so a writer that still holds version 3 loses. (For `ifVersion: 0`
 *   "it was never there" and "it was deleted" are the same.)
 * - A write resolves only when it is durable: killing the process or the machine afterwards does not lose it.
 * - Reads see every write that had resolved before the read was called, also one of another process.
 *
 * Every method but `close` throws `KeyValueStoreError` (reason `closed`) after `close`, and `InputError` on a bad key,
 * value or `ifVersion`. A write that the store could not make durable rejects with reason `write-failed`.
 */
export interface KeyValueStore extends AsyncDisposable {
  get(key: string): Promise<VersionedValue | undefined>;
  put(key: string, value: JsonValue, condition?: WriteCondition): Promise<WriteResult>;
  /** Deleting a key that does not exist succeeds, unless `ifVersion` asks for a version of it. */
  delete(key: string, condition?: WriteCondition): Promise<WriteResult>;
  /**
   * Entries whose key starts with `prefix` (the empty prefix: all), in key order. Pages are read by key, none is held
   * open while the caller works; a key that exists from start to end is seen exactly once.
   */
  list(prefix: string): AsyncIterable<KeyValueEntry>;
  /** Waits for writes under way. Closing twice is harmless. */
  close(): Promise<void>;
}
