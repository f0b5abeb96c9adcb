import { setTimeout as timer } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Neo4jConnection } from '#graph-store';
import { type Drain, type DrainReport, retryPauseMs } from '#ingestion';

/** What the thread is given; it reads no settings itself. */
export interface DrainSettings {
  readonly neo4j: Neo4jConnection;
  /** Folder of the inbox. */
  readonly inboxPath: string;
  readonly batch: { readonly events: number; readonly bytes: number };
  readonly logLevel: string;
}

/** The one message that the thread is sent. */
export const STOP = 'stop';

/** A thread of Node takes TypeScript only once a loader is set up in it. */
const ENTRY = new URL('./drain-thread.mjs', import.meta.url);

/** Three times the 64 MiB that the server itself is started with, which is how V8 counts: a batch makes many short-lived objects. */
const YOUNG_SPACE_MIB = 192;

interface ThreadedDrainOptions {
  readonly settings: DrainSettings;
  /** Called with its sequence when a change of the thread is committed. Must not throw. */
  readonly onCommit: (sequence: number) => void;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * Drains an inbox in a thread of its own, with its own handles to the inbox and to Neo4j, so that no request waits while a batch is
 * projected. A thread that fails is told in the log and started again, after pauses that grow until events are drained once more.
 */
export class ThreadedDrain implements Drain {
  readonly #options: ThreadedDrainOptions;
  readonly #stop = new AbortController();
  #ended: Promise<void> | undefined;
  #thread: Worker | undefined;
  #failures = 0;

  constructor(options: ThreadedDrainOptions) {
    this.#options = options;
  }

  start(onReport: (report: DrainReport) => void): void {
    this.#ended ??= this.#keepRunning(onReport);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#thread?.postMessage(STOP);
    await this.#ended;
  }

  async #keepRunning(onReport: (report: DrainReport) => void): Promise<void> {
    const { signal } = this.#stop;
    const { logger } = this.#options;
    while (!signal.aborted) {
      const failure = await this.#runThread(onReport);
      onReport({ is: 'standing-by' });
      if (signal.aborted && failure === undefined) return;
      this.#failures += 1;
      logger.error(
        { err: failure, failures: this.#failures },
        'the thread that drains events of OpenLineage has ended',
      );
      await timer(retryPauseMs(this.#failures), undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns why the thread has ended, if it was not told to */
  #runThread(onReport: (report: DrainReport) => void): Promise<unknown> {
    const { settings } = this.#options;
    const thread = new Worker(ENTRY, {
      name: 'lineage-drain',
      workerData: settings,
      // The settings are all that it needs.
      env: {},
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_SPACE_MIB },
    });
    this.#thread = thread;
    let failure: unknown;
    thread.on('message', (report: DrainReport) => this.#take(report, onReport));
    thread.once('error', (error) => {
      failure = error;
    });
    return new Promise((resolve) => {
      thread.once('exit', (code) => {
        this.#thread = undefined;
        resolve(failure ?? (code === 0 ? undefined : new Error(`exit code ${code}`)));
      });
    });
  }

  #take(report: DrainReport, onReport: (report: DrainReport) => void): void {
    if (report.is === 'draining') {
      if (report.sequence !== null) this.#options.onCommit(report.sequence);
      this.#failures = 0;
    }
    onReport(report);
  }
}
