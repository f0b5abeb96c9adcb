import { IF_EXISTS } from 'lmdb';
import type { AppendedRange, DeadLetter, DeadLetterReason, EventInbox, InboxEvent, InboxSize } from './event-inbox.js';
import { DrainLease } from './event-inbox-lease.js';
import { Admission } from './event-inbox-lmdb-admission.js';
import { InboxEnvironment } from './event-inbox-lmdb-environment.js';
import {
  type DeadLetterNote,
  decodeDeadLetter,
  decodeEvent,
  encodeDeadLetter,
  encodeEvents,
  missingEvent,
  readHeader,
} from './event-inbox-record.js';
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

/** Events that one transaction removes: appends of all processes wait for it. */
const REMOVE_CHUNK = 1000;

/**
 * The port on an LMDB environment (a folder on a local disk), which several processes may have open.
 *
 * What LMDB guarantees and what is built on it:
 * - A transaction is in the file wholly or not at all: pages in use are never written over, and the commit is the write of
 *   one of two root pages, after a flush. Hence nothing is half-written on a full disk or at a kill.
 * - Without overlapping sync a commit is flushed before it becomes visible and before its promise resolves. Hence what is
 *   acknowledged survives a power cut, and nobody reads an event that could vanish. (The disk must honour flushes.)
 * - One writer at a time across processes, by a lock that passes on when its holder dies. Hence an append, made on the
 *   condition that the head is still the one read, is the only one to get its positions. Two processes that append at once
 *   sometimes make each other try again; the transaction of the loser is empty and costs no flush.
 *
 * The file keeps its largest size; freed room is used again, so on a full disk draining makes room for new events. All that
 * share a flush are refused together when it finds no room. A copy of the folder from before must not be put back: it would
 * give out positions that the graph already counts as applied. Start with an empty folder instead, which gets a new id.
 */
export class LmdbEventInbox implements EventInbox {
  readonly id: string;
  readonly lease: DrainLease;
  readonly #environment: InboxEnvironment;
  readonly #admission: Admission;
  readonly #appended: AppendSignal;
  readonly #now: () => Date;

  /**
   * Opens the environment, or creates it.
   * @param path folder of the environment
   * @throws EventInboxError with reason `open-failed`
   */
  constructor(path: string, now: () => Date) {
    this.#environment = new InboxEnvironment(path);
    this.#appended = new AppendSignal(this.#environment.id);
    this.#admission = new Admission(this.#environment, (head) => this.#appended.announce(head));
    this.#now = now;
    this.id = this.#environment.id;
    this.lease = new DrainLease(this.#environment.leaseCell(), now);
  }

  async append(payloads: readonly Uint8Array[], { receivedAt }: { receivedAt: Date }): Promise<AppendedRange> {
    this.#environment.checkOpen();
    checkPayloads(payloads);
    checkTime('receivedAt', receivedAt);
    const appending = encodeEvents(payloads, receivedAt).then((records) => this.#admission.append(records));
    const first = await this.#environment.track(appending);
    return { first, last: first + payloads.length - 1 };
  }

  async read({ after, limit, maxBytes }: { after: number; limit: number; maxBytes: number }): Promise<InboxEvent[]> {
    checkBound('after', after);
    checkPositive('limit', limit);
    checkPositive('maxBytes', maxBytes);
    const records = this.#recordsAfter(after, limit, maxBytes);
    return Promise.all(records.map(({ position, record }) => decodeEvent(position, record)));
  }

  async remove({ upTo }: { upTo: number }): Promise<void> {
    this.#environment.refresh();
    checkRemovable(upTo, this.#environment.end().head);
    const { events } = this.#environment;
    for (;;) {
      this.#environment.refresh();
      const positions = Array.from(events.getKeys({ end: upTo + 1, limit: REMOVE_CHUNK }));
      if (positions.length === 0) return;
      await this.#environment.write(() =>
        events.batch(() => {
          for (const position of positions) events.remove(position);
        }),
      );
    }
  }

  async head(): Promise<number> {
    this.#environment.refresh();
    return this.#environment.end().head;
  }

  async oldest(): Promise<number | undefined> {
    this.#environment.refresh();
    return this.#environment.oldest();
  }

  async size({ after = 0 }: { after?: number } = {}): Promise<InboxSize> {
    checkBound('after', after);
    this.#environment.refresh();
    const { head, totalBytes } = this.#environment.end();
    const first = Math.max(after + 1, this.#environment.oldest() ?? head + 1);
    if (first > head) return { events: 0, bytes: 0, oldestAgeMs: 0 };
    const oldest = readHeader(first, this.#record(first));
    return {
      events: head - first + 1,
      bytes: totalBytes - oldest.totalBytes + oldest.size,
      oldestAgeMs: Math.max(0, this.#now().getTime() - oldest.receivedAtMs),
    };
  }

  async waitForAppend(options: { after: number; pollMs: number; signal?: AbortSignal }): Promise<void> {
    checkBound('after', options.after);
    checkPositive('pollMs', options.pollMs);
    await waitForAppend(this, this.#appended, options);
  }

  async park(position: number, reason: DeadLetterReason): Promise<void> {
    checkPositive('position', position);
    checkReason(reason);
    this.#environment.refresh();
    const { events, deadLetters } = this.#environment;
    const record = events.getBinary(position) ?? this.#storedDeadLetter(position)?.record;
    if (record === undefined) throw unknownEvent(position);
    const { code, path, message } = reason;
    const note = { reason: { code, path, message }, parkedAtMs: this.#now().getTime() };
    await this.#environment.write(() => deadLetters.put(position, encodeDeadLetter(note, record)));
  }

  async deadLetters({ after, limit }: { after: number; limit: number }): Promise<DeadLetter[]> {
    checkBound('after', after);
    checkPositive('limit', limit);
    this.#environment.refresh();
    const letters: DeadLetter[] = [];
    for (const position of this.#environment.deadLetters.getKeys({ start: after + 1, limit })) {
      const stored = this.#storedDeadLetter(position);
      if (stored !== undefined) letters.push(describe(position, stored));
    }
    return letters;
  }

  async deadLetter(position: number): Promise<(DeadLetter & { payload: Uint8Array }) | undefined> {
    checkPositive('position', position);
    this.#environment.refresh();
    const stored = this.#storedDeadLetter(position);
    if (stored === undefined) return undefined;
    const { payload } = await decodeEvent(position, stored.record);
    return { ...describe(position, stored), payload };
  }

  async replay(position: number): Promise<number | undefined> {
    checkPositive('position', position);
    this.#environment.checkOpen();
    return this.#environment.track(this.#admission.replay(position));
  }

  async discard(position: number): Promise<boolean> {
    checkPositive('position', position);
    this.#environment.checkOpen();
    return this.#environment.write(() => this.#environment.deadLetters.remove(position, IF_EXISTS));
  }

  close(): Promise<void> {
    const closed = this.#environment.close();
    this.#appended.end();
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #recordsAfter(after: number, limit: number, maxBytes: number): { position: number; record: Buffer }[] {
    this.#environment.refresh();
    const { head } = this.#environment.end();
    const first = Math.max(after + 1, this.#environment.oldest() ?? head + 1);
    const records: { position: number; record: Buffer }[] = [];
    let bytes = 0;
    for (let position = first; position <= head && records.length < limit; position += 1) {
      const record = this.#record(position);
      bytes += readHeader(position, record).size;
      if (bytes > maxBytes && records.length > 0) break;
      records.push({ position, record });
    }
    return records;
  }

  #record(position: number): Buffer {
    const record = this.#environment.events.getBinary(position);
    if (record === undefined) throw missingEvent(position);
    return record;
  }

  #storedDeadLetter(position: number): { note: DeadLetterNote; record: Buffer } | undefined {
    const stored = this.#environment.deadLetters.getBinary(position);
    return stored && decodeDeadLetter(position, stored);
  }
}

function describe(position: number, { note, record }: { note: DeadLetterNote; record: Buffer }): DeadLetter {
  const { receivedAtMs, size } = readHeader(position, record);
  return {
    position,
    receivedAt: new Date(receivedAtMs),
    parkedAt: new Date(note.parkedAtMs),
    reason: note.reason,
    bytes: size,
  };
}
