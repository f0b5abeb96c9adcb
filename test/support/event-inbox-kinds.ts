import { type AppendedRange, type EventInbox, openEventInbox } from '#kv';
import { payloadsOf } from './event-inbox.js';
import { scratchFolder } from './folder.js';

/** Every implementation of the port; each `open` makes an empty inbox. */
export const EVENT_INBOXES = [
  { name: 'in-memory inbox', open: async (clock = new Clock()) => openEventInbox({ kind: 'memory', now: clock.now }) },
  { name: 'LMDB inbox', open: async (clock = new Clock()) => openTemporaryLmdb(clock.now) },
];

export const NOON = new Date('2026-03-01T12:00:00.000Z');
export const REASON = { code: 'UNKNOWN_JOB', path: 'job.name', message: 'must not be empty' };
/** Bounds of a read that takes all there is in these tests. */
export const EVERYTHING = { after: 0, limit: 10_000, maxBytes: 100_000_000 };

export function appendTexts(inbox: EventInbox, ...texts: string[]): Promise<AppendedRange> {
  return inbox.append(payloadsOf(texts), { receivedAt: NOON });
}

/** Stands still at noon until it is moved. */
export class Clock {
  #ms = NOON.getTime();
  readonly now = () => new Date(this.#ms);

  move(byMs: number): void {
    this.#ms += byMs;
  }
}

async function openTemporaryLmdb(now: () => Date): Promise<EventInbox> {
  const folder = await scratchFolder();
  const inbox = openEventInbox({ kind: 'lmdb', path: folder.path, now });
  const dispose = inbox[Symbol.asyncDispose].bind(inbox);
  inbox[Symbol.asyncDispose] = async () => {
    await dispose();
    await folder[Symbol.asyncDispose]();
  };
  return inbox;
}
