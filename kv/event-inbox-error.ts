import { AppError, type ErrorCode } from '#errors';

const EVENT_INBOX_FAULTS = ['closed', 'open-failed', 'write-failed', 'disk-full', 'corrupt'] as const;
export type EventInboxFault = (typeof EVENT_INBOX_FAULTS)[number];

/** Stored bytes that make no sense will not heal by trying again; the other faults may. */
const CODES: Record<EventInboxFault, ErrorCode> = {
  closed: 'STORE_UNAVAILABLE',
  'open-failed': 'STORE_UNAVAILABLE',
  'write-failed': 'STORE_UNAVAILABLE',
  'disk-full': 'STORAGE_FULL',
  corrupt: 'INTERNAL_SERVER_ERROR',
};

/** The inbox itself failed, as opposed to an input that breaks its rules (`InputError`). */
export class EventInboxError extends AppError {
  override readonly name = 'EventInboxError';
  readonly reason: EventInboxFault;

  constructor(reason: EventInboxFault, message: string, options: { position?: number; cause?: unknown } = {}) {
    super(CODES[reason], message, {
      details: options.position === undefined ? { reason } : { reason, position: options.position },
      ...('cause' in options ? { cause: options.cause } : {}),
    });
    this.reason = reason;
  }
}
