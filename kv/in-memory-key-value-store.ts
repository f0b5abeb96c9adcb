import { checkIfVersion, checkKey, checkPrefix, encodeJson } from './entry-rules.js';
import type {
  JsonValue,
  KeyValueEntry,
  KeyValueStore,
  VersionedValue,
  WriteCondition,
  WriteResult,
} from './key-value-store.js';
import { KeyValueStoreError } from './key-value-store-error.js';

/** `json` is undefined after a delete: the version is kept so that it is never given out twice. */
type Slot = { json: string | undefined; version: number };

/** The port in a map, for tests of code above it. Durable only as long as the process lives; one process only. */
export class InMemoryKeyValueStore implements KeyValueStore {
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  async get(key: string): Promise<VersionedValue | undefined> {
    this.#checkOpen();
    checkKey(key);
    const slot = this.#slots.get(key);
    // Values are kept as text, so no caller can reach into the store through an object it has put or got.
    return slot?.json === undefined ? undefined : { value: JSON.parse(slot.json), version: slot.version };
  }

  async put(key: string, value: JsonValue, condition: WriteCondition = {}): Promise<WriteResult> {
    this.#checkOpen();
    checkKey(key);
    checkIfVersion(condition.ifVersion);
    const json = encodeJson(value);
    const live = this.#liveVersion(key);
    if (condition.ifVersion !== undefined && condition.ifVersion !== live) return { ok: false, version: live };
    const version = (this.#slots.get(key)?.version ?? 0) + 1;
    this.#slots.set(key, { json, version });
    return { ok: true, version };
  }

  async delete(key: string, condition: WriteCondition = {}): Promise<WriteResult> {
    this.#checkOpen();
    checkKey(key);
    checkIfVersion(condition.ifVersion);
    const live = this.#liveVersion(key);
    if (condition.ifVersion !== undefined && condition.ifVersion !== live) return { ok: false, version: live };
    if (live > 0) this.#slots.set(key, { json: undefined, version: live });
    return { ok: true, version: 0 };
  }

  async *list(prefix: string): AsyncGenerator<KeyValueEntry> {
    this.#checkOpen();
    checkPrefix(prefix);
    const keys = [...this.#slots.keys()].filter((key) => key.startsWith(prefix));
    keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const key of keys) {
      this.#checkOpen();
      const slot = this.#slots.get(key);
      if (slot?.json !== undefined) yield { key, value: JSON.parse(slot.json), version: slot.version };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #liveVersion(key: string): number {
    const slot = this.#slots.get(key);
    return slot?.json === undefined ? 0 : slot.version;
  }

  #checkOpen(): void {
    if (this.#closed) throw new KeyValueStoreError('closed', 'the key-value store is closed; open it again');
  }
}
