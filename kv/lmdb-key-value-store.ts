import { mkdirSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
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
import { commitFailure } from './lmdb-commit-failure.js';

const PAGE_SIZE = 256;

/** A deleted key keeps an entry of this text at minus its last version, so that no version is ever given out twice. */
const TOMBSTONE = '';

/** What lmdb-js takes as `ifVersion` for "only if there is no entry"; its type declaration leaves it out. */
const NO_ENTRY = null as unknown as number;

type Change = (storedVersion: number) => { text: string; storedVersion: number } | 'nothing-to-do';

/**
 * The port on an LMDB environment (a folder). Several processes may have the same folder open: LMDB serialises their
 * writers and each conditional write is checked inside the write transaction. The folder must be on a local disk.
 *
 * Conditional writes run wholly on LMDB's write thread. `transaction(callback)` is avoided on purpose: it would hold the
 * write lock of all processes while it waits for this one's event loop.
 */
export class LmdbKeyValueStore implements KeyValueStore {
  readonly #db: RootDatabase<string, string>;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /**
   * Opens the environment, or creates it.
   * @param path folder of the environment
   * @throws KeyValueStoreError with reason `open-failed`
   */
  constructor(path: string) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      this.#db = open<string, string>({
        path,
        noSubdir: false,
        encoding: 'string',
        useVersions: true,
        // With overlapping sync a commit is visible before it is on disk: its promise would resolve too early, and another
        // process could act on a checkpoint that a power cut then takes back. Off, a commit is flushed, then seen.
        overlappingSync: false,
        // The batching adds a promise of its own that nobody can hold: on a full disk its rejection would end the process.
        eventTurnBatching: false,
      });
    } catch (cause) {
      const message = `cannot open the key-value store in ${path}: it must be a writable folder on a local disk`;
      throw new KeyValueStoreError('open-failed', message, { cause });
    }
  }

  async get(key: string): Promise<VersionedValue | undefined> {
    this.#checkOpen();
    checkKey(key);
    const entry = this.#read(key);
    if (entry === undefined || entry.version < 0) return undefined;
    return { value: decode(key, entry.value), version: entry.version };
  }

  async put(key: string, value: JsonValue, condition: WriteCondition = {}): Promise<WriteResult> {
    this.#checkOpen();
    checkKey(key);
    checkIfVersion(condition.ifVersion);
    const text = encodeJson(value);
    return this.#track(
      this.#change(key, condition.ifVersion, (stored) => ({ text, storedVersion: Math.abs(stored) + 1 })),
    );
  }

  async delete(key: string, condition: WriteCondition = {}): Promise<WriteResult> {
    this.#checkOpen();
    checkKey(key);
    checkIfVersion(condition.ifVersion);
    return this.#track(
      this.#change(key, condition.ifVersion, (stored) =>
        stored <= 0 ? 'nothing-to-do' : { text: TOMBSTONE, storedVersion: -stored },
      ),
    );
  }

  async *list(prefix: string): AsyncGenerator<KeyValueEntry> {
    checkPrefix(prefix);
    let after: string | undefined;
    for (;;) {
      this.#checkOpen();
      const page = this.#readPage(prefix, after);
      for (const { key, value, version } of page) {
        if (!key.startsWith(prefix)) return;
        if (version > 0) yield { key, value: decode(key, value), version };
      }
      if (page.length < PAGE_SIZE) return;
      after = page.at(-1)?.key;
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#pending).then(() => this.#db.close());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reads, decides, and writes only if the entry is still what was read; otherwise somebody was faster: once more. */
  async #change(key: string, ifVersion: number | undefined, change: Change): Promise<WriteResult> {
    // Who names a version mostly names the right one: the write itself checks it, and saves the reading.
    let stored = ifVersion || this.#storedVersion(key);
    for (;;) {
      const live = Math.max(stored, 0);
      if (ifVersion !== undefined && ifVersion !== live) return { ok: false, version: live };
      const next = change(stored);
      if (next === 'nothing-to-do') return { ok: true, version: live };
      const won = await this.#commit(key, next.text, next.storedVersion, stored === 0 ? NO_ENTRY : stored);
      if (won) return { ok: true, version: Math.max(next.storedVersion, 0) };
      stored = this.#storedVersion(key);
    }
  }

  #storedVersion(key: string): number {
    return this.#read(key)?.version ?? 0;
  }

  async #commit(key: string, text: string, version: number, ifVersion: number): Promise<boolean> {
    try {
      return await this.#db.put(key, text, version, ifVersion);
    } catch (error) {
      const cause = await commitFailure(error);
      throw new KeyValueStoreError('write-failed', 'the write could not be made durable; check the disk', {
        key,
        cause,
      });
    }
  }

  #read(key: string): { value: string; version: number } | undefined {
    // lmdb-js keeps one read snapshot per event-loop turn; a write of another process is only seen in a new one.
    this.#db.resetReadTxn();
    const entry = this.#db.getEntry(key);
    return entry && { value: entry.value, version: entry.version ?? 0 };
  }

  #readPage(prefix: string, after: string | undefined): { key: string; value: string; version: number }[] {
    this.#db.resetReadTxn();
    const from = after ?? prefix;
    const range = this.#db.getRange({
      ...(from === '' ? {} : { start: from, exclusiveStart: after !== undefined }),
      limit: PAGE_SIZE,
      versions: true,
    });
    return Array.from(range, ({ key, value, version }) => ({ key, value, version: version ?? 0 }));
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const forget = () => this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }

  #checkOpen(): void {
    if (this.#closing) throw new KeyValueStoreError('closed', 'the key-value store is closed; open it again');
  }
}

function decode(key: string, text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KeyValueStoreError('corrupt', 'the stored value is not JSON; restore the store from a backup', {
      key,
      cause,
    });
  }
}
