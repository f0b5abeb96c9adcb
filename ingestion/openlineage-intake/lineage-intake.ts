import { AppError } from '#errors';
import type { AppendedRange, EventInbox } from '#kv';
import { type Finding, type RefusalStatus, readEvent } from '../openlineage/index.js';
import { encodeInboxToken } from './inbox-token.js';
import { readJson } from './read-json.js';

/** Events that one batch may have: each one that is refused has an entry in the answer. */
const MAX_BATCH_EVENTS = 10_000;

/** An event that was not taken, and everything that is wrong with it. */
export interface Refusal {
  readonly status: RefusalStatus;
  readonly faults: readonly Finding[];
}

export interface TakenEvents {
  readonly range: AppendedRange;
  /** Names the last of them; whoever waits for it has waited for all. */
  readonly token: string;
}

type SingleIntake = { readonly ok: true; readonly taken: TakenEvents } | ({ readonly ok: false } & Refusal);

/** A batch that could be read as a list. Each event in it is taken or refused on its own. */
export interface BatchIntake {
  readonly ok: true;
  readonly received: number;
  readonly refused: readonly (Refusal & { readonly index: number })[];
  /** Indexes of those that were taken, in the order of their positions. */
  readonly takenIndexes: readonly number[];
  /** Undefined when none was taken. */
  readonly taken: TakenEvents | undefined;
}

/**
 * The door for events of OpenLineage: what can be read is durable in the inbox when the promise resolves. Needs no graph, and
 * refuses nothing for load; requests at one time share the flushes of the disk.
 *
 * Rejects with `EventInboxError`: STORAGE_FULL when the disk has no room, STORE_UNAVAILABLE when the inbox is closed.
 */
export class LineageIntake {
  readonly #inbox: EventInbox;
  readonly #now: () => Date;

  constructor(inbox: EventInbox, now: () => Date) {
    this.#inbox = inbox;
    this.#now = now;
  }

  /** Takes one event. Its bytes are kept as they were sent. */
  async take(body: Uint8Array): Promise<SingleIntake> {
    const json = readJson(body);
    if (!json.ok) return { ok: false, status: 400, faults: [json.fault] };
    const receivedAt = this.#now();
    const read = readEvent(json.value, receivedAt, 'none');
    if (!read.ok) return read;
    return { ok: true, taken: await this.#append([body], receivedAt) };
  }

  /**
   * Takes the readable events of a JSON array, all of them in one step.
   *
   * @throws AppError PAYLOAD_TOO_LARGE when there are more than 10,000
   */
  async takeBatch(body: Uint8Array): Promise<BatchIntake | ({ readonly ok: false } & Refusal)> {
    const json = readJson(body);
    if (!json.ok) return { ok: false, status: 400, faults: [json.fault] };
    if (!Array.isArray(json.value)) {
      return { ok: false, status: 400, faults: [{ path: '', rule: 'must be a JSON array of events' }] };
    }
    const events: readonly unknown[] = json.value;
    if (events.length > MAX_BATCH_EVENTS) throw tooMany(events.length);
    const receivedAt = this.#now();
    const refused: (Refusal & { index: number })[] = [];
    const payloads: Uint8Array[] = [];
    const takenIndexes: number[] = [];
    for (const [index, event] of events.entries()) {
      const read = readEvent(event, receivedAt, 'none');
      if (read.ok) {
        payloads.push(Buffer.from(JSON.stringify(event)));
        takenIndexes.push(index);
      } else refused.push({ index, status: read.status, faults: read.faults });
    }
    const taken = payloads.length === 0 ? undefined : await this.#append(payloads, receivedAt);
    return { ok: true, received: events.length, refused, takenIndexes, taken };
  }

  async #append(payloads: readonly Uint8Array[], receivedAt: Date): Promise<TakenEvents> {
    const range = await this.#inbox.append(payloads, { receivedAt });
    return { range, token: encodeInboxToken({ inboxId: this.#inbox.id, position: range.last }) };
  }
}

function tooMany(events: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `a batch has ${MAX_BATCH_EVENTS} events at most, got ${events}: send several`,
    {
      details: { limit: 'events', value: MAX_BATCH_EVENTS },
    },
  );
}
