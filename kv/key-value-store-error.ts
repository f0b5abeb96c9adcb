import { type StoreFault, StoreFaultError } from './store-fault.js';

export type KeyValueStoreFault = Exclude<StoreFault, 'disk-full'>;

/** The key-value store itself failed. */
export class KeyValueStoreError extends StoreFaultError<KeyValueStoreFault> {
  override readonly name = 'KeyValueStoreError';

  constructor(reason: KeyValueStoreFault, message: string, options: { key?: string; cause?: unknown } = {}) {
    const { key } = options;
    super(reason, message, key === undefined ? {} : { key }, options);
  }
}
