import { setImmediate as endOfTurn } from 'node:timers/promises';
import { IF_EXISTS } from 'lmdb';
import type { InboxEnvironment, QueueEnd } from './event-inbox-lmdb-environment.js';
import { decodeDeadLetter, readHeader, setTotalBytes } from './event-inbox-record.js';

/** Bounds the memory and the time of one flush; an append larger than this is a group of its own. */
const GROUP_BYTES = 16 * 1024 * 1024;

type Settle<T> = { resolve(value: T): void; reject(error: unknown): void };
type Append = Settle<number> & { kind: 'append'; records: readonly Buffer[]; bytes: number };
type Replay = Settle<number | undefined> & { kind: 'replay'; position: number };

/**
 * The end of the queue, where positions are given out. What arrives during a flush waits and shares the next one, so the
 * number of flushes does not grow with the number of clients.
 *
 * Replays queue here too: beside a steady stream of appends they would never find the head where they read it.
 */
export class Admission {
  readonly #environment: InboxEnvironment;
  readonly #onHead: (head: number) => void;
  #arrivals: (Append | Replay)[] = [];
  #admitting = false;

  /** @param onHead told of every new head once it is durable */
  constructor(environment: InboxEnvironment, onHead: (head: number) => void) {
    this.#environment = environment;
    this.#onHead = onHead;
  }

  /** @returns the position of the first record; the others follow it */
  append(records: readonly Buffer[]): Promise<number> {
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    return new Promise((resolve, reject) => this.#arrive({ kind: 'append', records, bytes, resolve, reject }));
  }

  /** @returns the new position, or undefined when there is no such dead letter */
  replay(position: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => this.#arrive({ kind: 'replay', position, resolve, reject }));
  }

  #arrive(arrival: Append | Replay): void {
    this.#arrivals.push(arrival);
    if (!this.#admitting) this.#environment.track(this.#admitAll());
  }

  async #admitAll(): Promise<void> {
    this.#admitting = true;
    for (let [next] = this.#arrivals; next !== undefined; [next] = this.#arrivals) {
      // Clients that were answered together come back together: the first of them must not get a flush of its own.
      await endOfTurn();
      if (next.kind === 'append') await this.#admitGroup(this.#takeGroup());
      else await this.#admitReplay(next);
    }
    this.#admitting = false;
  }

  #takeGroup(): Append[] {
    const group: Append[] = [];
    let bytes = 0;
    for (const arrival of this.#arrivals) {
      if (arrival.kind !== 'append' || (group.length > 0 && bytes + arrival.bytes > GROUP_BYTES)) break;
      group.push(arrival);
      bytes += arrival.bytes;
    }
    this.#arrivals = this.#arrivals.slice(group.length);
    return group;
  }

  async #admitGroup(group: readonly Append[]): Promise<void> {
    const records = group.flatMap((append) => append.records);
    try {
      let position = await this.#write(records);
      for (const append of group) {
        append.resolve(position);
        position += append.records.length;
      }
    } catch (error) {
      for (const append of group) append.reject(error);
    }
  }

  /** Reads the head and writes behind it, until no other process was faster. @returns the first position */
  async #write(records: readonly Buffer[]): Promise<number> {
    const environment = this.#environment;
    for (;;) {
      environment.refreshTracked();
      const end = environment.end();
      const next = stamp(records, end);
      const won = await environment.write(() =>
        environment.moveEnd(end, next, () => {
          for (const [index, record] of records.entries()) environment.events.put(end.head + 1 + index, record);
        }),
      );
      if (won) {
        this.#onHead(next.head);
        return end.head + 1;
      }
    }
  }

  async #admitReplay(replay: Replay): Promise<void> {
    this.#arrivals = this.#arrivals.slice(1);
    try {
      replay.resolve(await this.#writeReplay(replay.position));
    } catch (error) {
      replay.reject(error);
    }
  }

  async #writeReplay(position: number): Promise<number | undefined> {
    const environment = this.#environment;
    for (;;) {
      environment.refreshTracked();
      const stored = environment.deadLetters.getBinary(position);
      if (stored === undefined) return undefined;
      const record = Buffer.from(decodeDeadLetter(position, stored).record);
      const end = environment.end();
      const next = stamp([record], end);
      const won = await environment.write(async () => {
        let moved: Promise<boolean> = Promise.resolve(false);
        const stillThere = environment.deadLetters.ifVersion(position, IF_EXISTS, () => {
          moved = environment.moveEnd(end, next, () => {
            environment.events.put(next.head, record);
            environment.deadLetters.remove(position);
          });
        });
        // Both at once: on a full disk both reject, and a rejection that nobody holds would end the process.
        const [, both] = await Promise.all([stillThere, moved]);
        return both;
      });
      if (won) {
        this.#onHead(next.head);
        return next.head;
      }
    }
  }
}

/** Writes the running total into each record. @returns where the queue ends with them */
function stamp(records: readonly Buffer[], end: QueueEnd): QueueEnd {
  let { totalBytes } = end;
  records.forEach((record, index) => {
    totalBytes += readHeader(end.head + 1 + index, record).size;
    setTotalBytes(record, totalBytes);
  });
  return { head: end.head + records.length, totalBytes };
}
