import { setTimeout as timer } from 'node:timers/promises';
import type { Drain, DrainReport } from './drain.js';
import { DrainQueue, type DrainSource } from './drain-queue.js';
import { underLease } from './lease-term.js';
import { retryPauseMs } from './retry-pause.js';

/** After a crash nobody drains for so long. */
const LEASE_MS = 5_000;
/** How often one without the lease asks for it. */
const STANDBY_MS = 100;

interface DrainLoopOptions extends DrainSource {
  /** Who drains, for people. */
  readonly holder: string;
}

/**
 * Brings the events of an inbox into the graph, in order. Of all drainers on an inbox one works, the one with the lease; the
 * others stand by. The graph's own position says where to begin, so that a crash between a write and the freeing of its events
 * applies nothing twice. An event that cannot be applied is kept aside with the reason; while the graph is down nothing is.
 */
export class DrainLoop implements Drain {
  readonly #options: DrainLoopOptions;
  readonly #stop = new AbortController();
  #ended: Promise<void> | undefined;
  #failures = 0;

  constructor(options: DrainLoopOptions) {
    this.#options = options;
  }

  start(onReport: (report: DrainReport) => void): void {
    this.#ended ??= this.#run(onReport);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(onReport: (report: DrainReport) => void): Promise<void> {
    const { inbox, holder, logger } = this.#options;
    const { signal } = this.#stop;
    const lease = { holder, ttlMs: LEASE_MS, signal };
    while (!signal.aborted) {
      try {
        const held = await underLease(inbox.lease, lease, (term) => {
          const reached = (position: number, sequence: number | null) => {
            this.#failures = 0;
            onReport({ is: 'draining', position, sequence });
          };
          return new DrainQueue(this.#options, term, reached).drain();
        });
        if (!held) await this.#pause(STANDBY_MS);
      } catch (error) {
        this.#failures += 1;
        logger.warn({ err: error, failures: this.#failures }, 'events of OpenLineage cannot be drained, trying again');
        await this.#pause(retryPauseMs(this.#failures));
      } finally {
        onReport({ is: 'standing-by' });
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await timer(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
