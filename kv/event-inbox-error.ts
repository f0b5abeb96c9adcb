import { type StoreFault, StoreFaultError } from './store-fault.js';

export type EventInboxFault = StoreFault;

/** The inbox itself failed. */
export class EventInboxError extends StoreFaultError<EventInboxFault> {
  override readonly name = 'EventInboxError';

  constructor(reason: EventInboxFault, message: string, options: { position?: number; cause?: unknown } = {}) {
    const { position } = options;
    super(reason, message, position === undefined ? {} : { position }, options);
  }
}
