import { AppError, type ErrorCode } from '#errors';

/** Stored bytes that make no sense will not heal by trying again; the other faults may. */
const CODES = {
  closed: 'STORE_UNAVAILABLE',
  'open-failed': 'STORE_UNAVAILABLE',
  'write-failed': 'STORE_UNAVAILABLE',
  'disk-full': 'STORAGE_FULL',
  corrupt: 'INTERNAL_SERVER_ERROR',
} as const satisfies Record<string, ErrorCode>;

export type StoreFault = keyof typeof CODES;

/** A store of this room itself failed, as opposed to an input that breaks its rules (`InputError`). */
export abstract class StoreFaultError<Fault extends StoreFault> extends AppError {
  readonly reason: Fault;

  /** @param place where in the store, for the details */
  constructor(
    reason: Fault,
    message: string,
    place: Readonly<Record<string, string | number>>,
    options: { readonly cause?: unknown },
  ) {
    super(CODES[reason], message, {
      details: { reason, ...place },
      ...('cause' in options ? { cause: options.cause } : {}),
    });
    this.reason = reason;
  }
}
