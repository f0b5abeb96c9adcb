import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { EventInboxError } from './event-inbox-error.js';
import { type LeaseCell, type LeaseRecord, NEVER_LEASED } from './event-inbox-lease.js';
import { writeFailure } from './event-inbox-lmdb-failure.js';

/** Where the queue ends: the newest position (0: none yet), and the size of all payloads that were ever appended. */
export type QueueEnd = { head: number; totalBytes: number };

/** The open folder of an inbox: its databases, how they are read in one snapshot, and how a write becomes a typed error. */
export class InboxEnvironment {
  readonly id: string;
  /** `head` (the total bytes; its version is the newest position plus 1), `lease` and `id`. */
  readonly state: Database<string, string>;
  readonly events: Database<Buffer, number>;
  readonly deadLetters: Database<Buffer, number>;
  readonly #root: RootDatabase<string, string>;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** @throws EventInboxError with reason `open-failed` */
  constructor(path: string) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      // As in the key-value store, and for its reasons: a commit is on disk before it is seen, and no promise that nobody
      // holds is made, whose rejection on a full disk would end the process.
      this.#root = open<string, string>({ path, noSubdir: false, overlappingSync: false, eventTurnBatching: false });
      this.state = this.#root.openDB<string, string>({ name: 'state', encoding: 'string', useVersions: true });
      this.events = this.#root.openDB<Buffer, number>({ name: 'events', encoding: 'binary' });
      this.deadLetters = this.#root.openDB<Buffer, number>({ name: 'dead-letters', encoding: 'binary' });
      // Waits for the writers of other processes, as opening does anyway; later nothing but the write thread does.
      this.id = this.#root.transactionSync(() => this.#initialise());
    } catch (cause) {
      const message = `cannot open the event inbox in ${path}: it must be a writable folder on a local disk`;
      throw new EventInboxError('open-failed', message, { cause });
    }
  }

  /**
   * From here to the end of the event-loop turn all reads see one state, not older than this moment.
   * @throws EventInboxError with reason `closed`
   */
  refresh(): void {
    this.checkOpen();
    this.refreshTracked();
  }

  /** The same for work that `close` waits for, and that must still come to its end after `close` was called. */
  refreshTracked(): void {
    this.#root.resetReadTxn();
  }

  end(): QueueEnd {
    const { version, value } = this.#stateOf('head');
    return { head: version - 1, totalBytes: Number(value) };
  }

  oldest(): number | undefined {
    const [oldest] = this.events.getKeys({ limit: 1 });
    return oldest;
  }

  /** The head as a condition and as a write: the changes are made if it is still `end`, together with its move to `next`. */
  moveEnd(end: QueueEnd, next: QueueEnd, changes: () => void): Promise<boolean> {
    return this.state.ifVersion('head', end.head + 1, () => {
      changes();
      this.state.put('head', String(next.totalBytes), next.head + 1);
    });
  }

  leaseCell(): LeaseCell {
    return {
      read: async () => {
        this.refresh();
        const { version, value } = this.#stateOf('lease');
        const record: LeaseRecord = JSON.parse(value);
        return { version, record };
      },
      swap: (version, next) => this.write(() => this.state.put('lease', JSON.stringify(next), version + 1, version)),
    };
  }

  /** @throws EventInboxError with reason `disk-full` or `write-failed`; then nothing is written */
  write<T>(change: () => Promise<T>): Promise<T> {
    return this.track(
      (async () => {
        try {
          return await change();
        } catch (error) {
          throw await writeFailure(error);
        }
      })(),
    );
  }

  /** Makes `close` wait for something. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const forget = () => this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }

  checkOpen(): void {
    if (this.#closing) throw new EventInboxError('closed', 'the event inbox is closed; open it again');
  }

  close(): Promise<void> {
    this.#closing ??= this.#whenIdle().then(() => this.#root.close());
    return this.#closing;
  }

  #stateOf(key: 'head' | 'lease'): { version: number; value: string } {
    const entry = this.state.getEntry(key);
    if (entry?.version !== undefined) return { version: entry.version, value: entry.value };
    throw new EventInboxError(
      'corrupt',
      `the inbox has lost its ${key}; set its folder aside and start with an empty one`,
    );
  }

  async #whenIdle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  #initialise(): string {
    const id = this.state.get('id');
    if (id !== undefined) return id;
    const created = randomUUID();
    this.state.putSync('id', created, 1);
    this.state.putSync('head', '0', 1);
    this.state.putSync('lease', JSON.stringify(NEVER_LEASED), 1);
    return created;
  }
}
