import { InMemoryKeyValueStore } from './in-memory-key-value-store.js';
import type { KeyValueStore } from './key-value-store.js';
import { LmdbKeyValueStore } from './lmdb-key-value-store.js';

export type KeyValueStoreOptions =
  | { kind: 'lmdb' /** folder of the environment; made if it is missing */; path: string }
  | { kind: 'memory' };

/** @throws KeyValueStoreError with reason `open-failed` */
export function createKeyValueStore(options: KeyValueStoreOptions): KeyValueStore {
  switch (options.kind) {
    case 'lmdb':
      return new LmdbKeyValueStore(options.path);
    case 'memory':
      return new InMemoryKeyValueStore();
  }
}
