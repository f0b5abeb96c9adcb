import { randomUUID } from 'node:crypto';
import type { AppendedRange, DeadLetter, DeadLetterReason, EventInbox, InboxEvent, InboxSize } from './event-inbox.js';
import { EventInboxError } from './event-inbox-error.js';
import { DrainLease, type LeaseCell, NEVER_LEASED } from './event-inbox-lease.js';
import {
  checkBound,
  checkPayloads,
  checkPositive,
  checkReason,
  checkRemovable,
  checkTime,
  unknownEvent,
} from './event-inbox-rules.js';
import { AppendSignal, waitForAppend } from './event-inbox-wake.js';

type StoredDeadLetter = DeadLetter & { payload: Uint8Array };

/** The port in arrays, for tests of code above it. Durable only as long as the process lives; one process only. */
export class InMemoryEventInbox implements EventInbox {
  readonly id = randomUUID();
  readonly lease: DrainLease;
  readonly #now: () => Date;
  readonly #appended = new AppendSignal(this.id);
  readonly #deadLetters = new Map<number, StoredDeadLetter>();
  #events: InboxEvent[] = [];
  #head = 0;
  #closed = false;

  constructor(now: () => Date) {
    this.#now = now;
    this.lease = new DrainLease(this.#leaseCell(), now);
  }

  async append(payloads: readonly Uint8Array[], { receivedAt }: { receivedAt: Date }): Promise<AppendedRange> {
    this.#checkOpen();
    checkPayloads(payloads);
    checkTime('receivedAt', receivedAt);
    const first = this.#head + 1;
    for (const payload of payloads) this.#push(payload, receivedAt);
    this.#appended.announce(this.#head);
    return { first, last: this.#head };
  }

  async read({ after, limit, maxBytes }: { after: number; limit: number; maxBytes: number }): Promise<InboxEvent[]> {
    this.#checkOpen();
    checkBound('after', after);
    checkPositive('limit', limit);
    checkPositive('maxBytes', maxBytes);
    const events = this.#after(after).slice(0, limit);
    let bytes = 0;
    const tooMuch = events.findIndex(({ payload }, index) => {
      bytes += payload.length;
      return bytes > maxBytes && index > 0;
    });
    return events.slice(0, tooMuch === -1 ? undefined : tooMuch).map(copyOf);
  }

  async remove({ upTo }: { upTo: number }): Promise<void> {
    this.#checkOpen();
    checkRemovable(upTo, this.#head);
    this.#events = this.#after(upTo);
  }

  async head(): Promise<number> {
    this.#checkOpen();
    return this.#head;
  }

  async oldest(): Promise<number | undefined> {
    this.#checkOpen();
    return this.#events[0]?.position;
  }

  async size({ after = 0 }: { after?: number } = {}): Promise<InboxSize> {
    this.#checkOpen();
    checkBound('after', after);
    const events = this.#after(after);
    const [oldest] = events;
    return {
      events: events.length,
      bytes: events.reduce((sum, { payload }) => sum + payload.length, 0),
      oldestAgeMs: oldest === undefined ? 0 : Math.max(0, this.#now().getTime() - oldest.receivedAt.getTime()),
    };
  }

  async waitForAppend(options: { after: number; pollMs: number; signal?: AbortSignal }): Promise<void> {
    checkBound('after', options.after);
    checkPositive('pollMs', options.pollMs);
    await waitForAppend(this, this.#appended, options);
  }

  async park(position: number, reason: DeadLetterReason): Promise<void> {
    this.#checkOpen();
    checkPositive('position', position);
    checkReason(reason);
    const event = this.#events.find((candidate) => candidate.position === position) ?? this.#deadLetters.get(position);
    if (event === undefined) throw unknownEvent(position);
    const { receivedAt, payload } = event;
    const { code, path, message } = reason;
    this.#deadLetters.set(position, {
      position,
      receivedAt,
      parkedAt: this.#now(),
      reason: { code, path, message },
      bytes: payload.length,
      payload,
    });
  }

  async deadLetters({ after, limit }: { after: number; limit: number }): Promise<DeadLetter[]> {
    this.#checkOpen();
    checkBound('after', after);
    checkPositive('limit', limit);
    const letters = [...this.#deadLetters.values()].filter(({ position }) => position > after);
    letters.sort((a, b) => a.position - b.position);
    return letters.slice(0, limit).map(({ payload: _payload, ...letter }) => letter);
  }

  async deadLetter(position: number): Promise<StoredDeadLetter | undefined> {
    this.#checkOpen();
    checkPositive('position', position);
    const letter = this.#deadLetters.get(position);
    return letter && copyOf(letter);
  }

  async replay(position: number): Promise<number | undefined> {
    this.#checkOpen();
    checkPositive('position', position);
    const letter = this.#deadLetters.get(position);
    if (letter === undefined) return undefined;
    this.#deadLetters.delete(position);
    this.#push(letter.payload, letter.receivedAt);
    this.#appended.announce(this.#head);
    return this.#head;
  }

  async discard(position: number): Promise<boolean> {
    this.#checkOpen();
    checkPositive('position', position);
    return this.#deadLetters.delete(position);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#appended.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #push(payload: Uint8Array, receivedAt: Date): void {
    this.#head += 1;
    this.#events.push(copyOf({ position: this.#head, receivedAt, payload }));
  }

  #after(position: number): InboxEvent[] {
    return this.#events.filter((event) => event.position > position);
  }

  #leaseCell(): LeaseCell {
    let stored = { version: 1, record: NEVER_LEASED };
    return {
      read: async () => {
        this.#checkOpen();
        return stored;
      },
      swap: async (version, record) => {
        this.#checkOpen();
        if (stored.version !== version) return false;
        stored = { version: version + 1, record };
        return true;
      },
    };
  }

  #checkOpen(): void {
    if (this.#closed) throw new EventInboxError('closed', 'the event inbox is closed; open it again');
  }
}

/** No caller can reach into the inbox through what it has appended or read. */
function copyOf<E extends InboxEvent>(event: E): E {
  return { ...event, receivedAt: new Date(event.receivedAt), payload: Buffer.from(event.payload) };
}
