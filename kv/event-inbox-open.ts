import type { EventInbox } from './event-inbox.js';
import { LmdbEventInbox } from './event-inbox-lmdb.js';
import { InMemoryEventInbox } from './event-inbox-memory.js';

export type EventInboxOptions = {
  /** The clock of leases, ages and dead letters. */
  now: () => Date;
} & (
  | {
      kind: 'lmdb';
      /** Folder of the environment, made if it is missing; not the one of the key-value store. */
      path: string;
    }
  | { kind: 'memory' }
);

/** @throws EventInboxError with reason `open-failed` */
export function openEventInbox(options: EventInboxOptions): EventInbox {
  switch (options.kind) {
    case 'lmdb':
      return new LmdbEventInbox(options.path, options.now);
    case 'memory':
      return new InMemoryEventInbox(options.now);
  }
}
