import { AppError, type ErrorCode } from '#errors';

const KEY_VALUE_STORE_FAULTS = ['closed', 'open-failed', 'write-failed', 'corrupt'] as const;
export type KeyValueStoreFault = (typeof KEY_VALUE_STORE_FAULTS)[number];

/** Stored bytes that make no sense will not heal by trying again; the other faults may. */
const CODES: Record<KeyValueStoreFault, ErrorCode> = {
  closed: 'STORE_UNAVAILABLE',
  'open-failed': 'STORE_UNAVAILABLE',
  'write-failed': 'STORE_UNAVAILABLE',
  corrupt: 'INTERNAL_SERVER_ERROR',
};

/** The store itself failed, as opposed to an input that breaks its rules (`InputError`). */
export class KeyValueStoreError extends AppError {
  override readonly name = 'KeyValueStoreError';
  readonly reason: KeyValueStoreFault;

  constructor(reason: KeyValueStoreFault, message: string, options: { key?: string; cause?: unknown } = {}) {
    super(CODES[reason], message, {
      details: options.key === undefined ? { reason } : { reason, key: options.key },
      ...('cause' in options ? { cause: options.cause } : {}),
    });
    this.reason = reason;
  }
}
