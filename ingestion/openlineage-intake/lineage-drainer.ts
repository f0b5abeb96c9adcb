import { setTimeout as timer } from 'node:timers/promises';
import type { DeadLetter, EventInbox, InboxSize } from '#kv';
import type { Drain, DrainReport } from './drain.js';
import { GraphProgress } from './graph-progress.js';
import { decodeInboxToken } from './inbox-token.js';
import type { LineageWriter } from './lineage-writer.js';
import { verdictOn } from './write-verdict.js';

/** How often it is looked how far the graph is, while somebody waits for events that others drain. */
const LOOK_MS = 100;

interface DrainerOptions {
  readonly inbox: EventInbox;
  readonly graph: Pick<LineageWriter, 'position'>;
  readonly drain: Drain;
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

/** The drain of an inbox as those see it who answer requests: it begins and ends with it, and tells how far the graph is. */
export class LineageDrainer {
  readonly #options: DrainerOptions;
  readonly #progress = new GraphProgress();
  readonly #stop = new AbortController();
  #isDraining = false;
  #isLooking = false;

  constructor(options: DrainerOptions) {
    this.#options = options;
  }

  /** Begins to drain. Once is enough. */
  start(): void {
    this.#options.drain.start((report) => this.#take(report));
  }

  /** Whether this one has the lease, as far as it knows. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Waits for a write under way, for nothing else. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#progress.end();
    await this.#options.drain.stop();
  }

  /** The position that a token names; undefined when it is no token of this inbox. */
  positionOf(token: string): number | undefined {
    const place = decodeInboxToken(token);
    return place?.inboxId === this.#options.inbox.id ? place.position : undefined;
  }

  /** Waits until the graph has passed some positions. */
  async arrival({ first, last }: { first: number; last: number }, timeoutMs: number): Promise<Arrival> {
    const arriving = this.#progress.until(last, timeoutMs);
    if (!this.#isDraining) void this.#look();
    if (!(await arriving)) return { is: 'late' };
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
    const { inbox, graph } = this.#options;
    if (this.#isDraining) return this.#progress.position;
    try {
      return await graph.position(inbox.id);
    } catch (error) {
      if (verdictOn(error) !== 'wait') throw error;
      return this.#progress.position;
    }
  }

  #take(report: DrainReport): void {
    this.#isDraining = report.is === 'draining';
    if (report.is === 'draining') this.#progress.reached(report.position, report.sequence);
    else if (this.#progress.isAwaited) void this.#look();
  }

  /** Somebody else may drain what is waited for. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { inbox, graph } = this.#options;
    while (this.#progress.isAwaited && !this.#isDraining) {
      // A graph that does not answer is waited for; whoever waits has a time-out.
      const position = await graph.position(inbox.id).catch(() => undefined);
      if (position !== undefined && !this.#isDraining) this.#progress.reached(position, null);
      await timer(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    this.#isLooking = false;
  }
}
