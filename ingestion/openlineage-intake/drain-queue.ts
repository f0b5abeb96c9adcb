import { setTimeout as timer } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppError } from '#errors';
import type { InboxCursor } from '#graph-store';
import type { EventInbox } from '#kv';
import { type DrainBatch, readBatch } from './drain-batch.js';
import type { LeaseTerm } from './lease-term.js';
import type { LineageWriter } from './lineage-writer.js';
import { retryPauseMs } from './retry-pause.js';
import { deadLetterReason, verdictOn } from './write-verdict.js';

/** How soon events are seen that another process has appended. */
const POLL_MS = 250;
/** Attempts at one event whose write fails in an unexpected way, before it is kept aside. */
const FAULT_ATTEMPTS = 5;

export interface DrainSource {
  readonly inbox: EventInbox;
  readonly writer: LineageWriter;
  /** What one transaction may hold at most; an event that is larger goes alone. */
  readonly batch: { readonly events: number; readonly bytes: number };
  readonly logger: Pick<Logger, 'warn' | 'error'>;
}

/** What lies after a position, as far as it was read before the graph was there. */
interface ReadAhead {
  readonly after: number;
  readonly batch: Promise<DrainBatch | undefined>;
}

/** One holder's work on an inbox, from the position of the graph on. */
export class DrainQueue {
  readonly #source: DrainSource;
  readonly #term: LeaseTerm;
  readonly #onReached: (position: number, sequence: number | null) => void;
  #position = 0;
  /** Events of the next batch, halved at each failure and doubled at each success. */
  #limit: number;
  /** Failures since the last success. */
  #failures = 0;
  /** Unexpected ones among them, of a batch of one. */
  #faultsAlone = 0;
  #ahead: ReadAhead | undefined;

  constructor(source: DrainSource, term: LeaseTerm, onReached: (position: number, sequence: number | null) => void) {
    this.#source = source;
    this.#term = term;
    this.#onReached = onReached;
    this.#limit = source.batch.events;
  }

  /**
   * Ends when the signal of the term is aborted.
   *
   * @throws what the inbox or, at the beginning, the writer throws; AppError CONFLICT when another drainer has written
   */
  async drain(): Promise<void> {
    const { signal } = this.#term;
    await this.#begin();
    while (!signal.aborted) {
      const batch = await this.#next();
      if (batch === undefined) await this.#append();
      else await this.#apply(batch);
    }
  }

  async #begin(): Promise<void> {
    const { inbox, writer } = this.#source;
    const position = await writer.position(inbox.id);
    if (position > (await inbox.head())) throw putBack();
    this.#position = position;
    this.#onReached(position, null);
    // A drainer before may have ended between its write and this.
    await this.#free();
  }

  async #next(): Promise<DrainBatch | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const read = ahead && (await ahead.batch);
    return ahead?.after === this.#position && read !== undefined ? read : this.#read(this.#position, this.#limit);
  }

  #read(after: number, limit: number): Promise<DrainBatch | undefined> {
    const { inbox, batch } = this.#source;
    return readBatch(inbox, { after, limit, maxBytes: batch.bytes });
  }

  /**
   * Reads the next batch while Neo4j is busy with this one, but a full one only: what has come by now would be written sooner, and
   * what comes meanwhile later, in more transactions.
   */
  async #readAhead(after: number): Promise<DrainBatch | undefined> {
    const { inbox, batch } = this.#source;
    const limit = Math.min(batch.events, this.#limit * 2);
    const waiting = (await inbox.head()) - after;
    return waiting < limit ? undefined : this.#read(after, limit);
  }

  async #append(): Promise<void> {
    const { signal } = this.#term;
    const waiting = this.#source.inbox.waitForAppend({ after: this.#position, pollMs: POLL_MS, signal });
    await waiting.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #apply(batch: DrainBatch): Promise<void> {
    const { inbox, writer } = this.#source;
    for (const { position, reason } of batch.unreadable) await inbox.park(position, reason);
    const cursor = { inboxId: inbox.id, after: this.#position, upTo: batch.upTo, fence: this.#term.fence };
    let sequence: number | null;
    // One that fails is read again when its turn comes, and fails there.
    this.#ahead = { after: batch.upTo, batch: this.#readAhead(batch.upTo).catch(() => undefined) };
    try {
      sequence = await writer.write(batch.events, cursor);
    } catch (error) {
      return this.#meet(error, batch, cursor);
    }
    await this.#applied(batch.upTo, sequence);
  }

  async #applied(position: number, sequence: number | null): Promise<void> {
    this.#position = position;
    this.#limit = Math.min(this.#source.batch.events, this.#limit * 2);
    this.#failures = 0;
    this.#faultsAlone = 0;
    this.#onReached(position, sequence);
    await this.#free();
  }

  async #meet(error: unknown, batch: DrainBatch, cursor: InboxCursor): Promise<void> {
    const { inbox, writer, logger } = this.#source;
    const verdict = verdictOn(error);
    if (verdict === 'yield') throw error;
    this.#failures += 1;
    // Also where the graph was too slow or out of memory: what was too much once may be too much again.
    this.#limit = Math.max(1, Math.floor(batch.size / 2));
    if (verdict === 'wait') {
      logger.warn({ err: error, after: cursor.after, failures: this.#failures }, 'the graph takes no events, waiting');
      return this.#pause();
    }
    if (batch.size > 1) return;
    if (verdict === 'fault') {
      this.#faultsAlone += 1;
      logger.error({ err: error, position: batch.upTo, attempt: this.#faultsAlone }, 'an event could not be written');
      if (this.#faultsAlone < FAULT_ATTEMPTS) return this.#pause();
    }
    await inbox.park(batch.upTo, deadLetterReason(error));
    logger.warn({ position: batch.upTo }, 'an event was kept aside: it cannot be applied');
    await this.#applied(batch.upTo, await writer.write([], cursor));
  }

  /** The graph has them for good, so on a disk that lets nothing be removed they only take up room for longer. */
  async #free(): Promise<void> {
    const { inbox, logger } = this.#source;
    await inbox
      .remove({ upTo: this.#position })
      .catch((error: unknown) => logger.warn({ err: error }, 'applied events could not be removed from the inbox yet'));
  }

  async #pause(): Promise<void> {
    const { signal } = this.#term;
    await timer(retryPauseMs(this.#failures), undefined, { signal }).catch(() => undefined);
  }
}

function putBack(): AppError {
  const message =
    'the graph has later events of the inbox than the inbox itself: its folder was put back from a copy. Stop the server, set the folder aside and start with an empty one';
  return new AppError('INTERNAL_SERVER_ERROR', message);
}
