import { setTimeout as timer } from 'node:timers/promises';
import type { DeadLetter, InboxSize } from '#kv';
import { DrainQueue, type DrainSource } from './drain-queue.js';
import { GraphProgress } from './graph-progress.js';
import { decodeInboxToken } from './inbox-token.js';
import { underLease } from './lease-term.js';
import { retryPauseMs } from './retry-pause.js';
import { verdictOn } from './write-verdict.js';

/** After a crash nobody drains for so long. */
const LEASE_MS = 5_000;
/** How often one without the lease asks for it, and looks for what the one that has it has written. */
const STANDBY_MS = 100;

interface DrainerOptions extends DrainSource {
  /** Who drains, for people. */
  readonly holder: string;
}

/** What became of events that were waited for. */
export type Arrival =
  | { readonly is: 'late' }
  /** `sequence` is the change that holds them, or a later one; null when this process has written none. */
  | { readonly is: 'drained'; readonly sequence: number | null; readonly parked: readonly DeadLetter[] };

interface InboxStatus {
  /** Position of the newest event that was acknowledged. */
  readonly head: number;
  /** Position up to which the graph has them: the last that is known, while the graph does not answer. */
  readonly position: number;
  readonly lag: InboxSize;
}

/**
 * Brings the events of an inbox into the graph, in order. Of all drainers on an inbox one works, the one with the lease; the
 * others stand by. The graph's own position says where to begin, so that a crash between a write and the freeing of its events
 * applies nothing twice. An event that cannot be applied is kept aside with the reason; while the graph is down nothing is.
 */
export class LineageDrainer {
  readonly #options: DrainerOptions;
  readonly #progress = new GraphProgress();
  readonly #stop = new AbortController();
  #ended: Promise<void> | undefined;
  #holdsLease = false;
  #failures = 0;

  constructor(options: DrainerOptions) {
    this.#options = options;
  }

  /** Begins to drain. Once is enough. */
  start(): void {
    this.#ended ??= this.#run();
  }

  /** Waits for a write under way, for nothing else. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#progress.end();
    await this.#ended;
  }

  /** The position that a token names; undefined when it is no token of this inbox. */
  positionOf(token: string): number | undefined {
    const place = decodeInboxToken(token);
    return place?.inboxId === this.#options.inbox.id ? place.position : undefined;
  }

  /** Waits until the graph has passed some positions. */
  async arrival({ first, last }: { first: number; last: number }, timeoutMs: number): Promise<Arrival> {
    if (!(await this.#progress.until(last, timeoutMs))) return { is: 'late' };
    const letters = await this.#options.inbox.deadLetters({ after: first - 1, limit: last - first + 1 });
    const parked = letters.filter(({ position }) => position <= last);
    return { is: 'drained', sequence: this.#progress.sequence, parked };
  }

  /** What was acknowledged and is not in the graph. */
  async lag(): Promise<InboxSize> {
    return this.#options.inbox.size({ after: await this.#position() });
  }

  async status(): Promise<InboxStatus> {
    const { inbox } = this.#options;
    const position = await this.#position();
    const lag = await inbox.size({ after: position });
    return { head: await inbox.head(), position, lag };
  }

  async #position(): Promise<number> {
    const { inbox, writer } = this.#options;
    if (this.#holdsLease) return this.#progress.position;
    try {
      return await writer.position(inbox.id);
    } catch (error) {
      if (verdictOn(error) !== 'wait') throw error;
      return this.#progress.position;
    }
  }

  async #run(): Promise<void> {
    const { inbox, holder, logger } = this.#options;
    const { signal } = this.#stop;
    const lease = { holder, ttlMs: LEASE_MS, signal };
    while (!signal.aborted) {
      try {
        const held = await underLease(inbox.lease, lease, (term) => {
          const reached = (position: number, sequence: number | null) => this.#reached(position, sequence);
          return new DrainQueue(this.#options, term, reached).drain();
        });
        if (!held) await this.#standBy();
      } catch (error) {
        this.#failures += 1;
        logger.warn({ err: error, failures: this.#failures }, 'events of OpenLineage cannot be drained, trying again');
        await this.#pause(retryPauseMs(this.#failures));
      } finally {
        this.#holdsLease = false;
      }
    }
  }

  #reached(position: number, sequence: number | null): void {
    this.#holdsLease = true;
    this.#failures = 0;
    this.#progress.reached(position, sequence);
  }

  async #standBy(): Promise<void> {
    const { inbox, writer } = this.#options;
    if (this.#progress.isAwaited) this.#progress.reached(await writer.position(inbox.id), null);
    await this.#pause(STANDBY_MS);
  }

  async #pause(ms: number): Promise<void> {
    await timer(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
