import type { EventInbox } from '#kv';
import { type EdgeEdit, type EventTime, type RunEdit, readEventTime } from '../openlineage/index.js';
import { editPayload } from './edit-payload.js';
import { encodeInboxToken } from './inbox-token.js';
import type { TakenEvents } from './lineage-intake.js';

type Untimed<Edit> = Omit<Edit, 'at'>;

/**
 * The door for edits of lineage: durable in the inbox when the promise resolves, and drained from there with the events around
 * them. Rejects as `LineageIntake` does.
 */
export class LineageEdits {
  readonly #inbox: EventInbox;
  readonly #now: () => Date;
  #latest = '';

  constructor(inbox: EventInbox, now: () => Date) {
    this.#inbox = inbox;
    this.#now = now;
  }

  async take(edit: Untimed<EdgeEdit> | Untimed<RunEdit>): Promise<TakenEvents> {
    const receivedAt = this.#now();
    const payload = editPayload({ ...edit, at: this.#timeAfterLast(receivedAt) });
    const range = await this.#inbox.append([payload], { receivedAt });
    return { range, token: encodeInboxToken({ inboxId: this.#inbox.id, position: range.last }) };
  }

  /** Edits count by their times, so of two within one millisecond of the clock the second is a nanosecond later. */
  #timeAfterLast(now: Date): EventTime {
    const iso = now.toISOString();
    const milliseconds = iso.slice(0, -1);
    const held = this.#latest.startsWith(milliseconds) ? Number(this.#latest.slice(milliseconds.length, -1)) + 1 : 0;
    const at = readEventTime(`${milliseconds}${String(held).padStart(6, '0')}Z`);
    if (at === null) throw new RangeError(`the clock is out of bounds: ${iso}`);
    this.#latest = at;
    return at;
  }
}
