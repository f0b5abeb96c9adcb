import type { LineageHoldings, LineageStore, SeriesPlace, WriteContext } from '#graph-store';
import { RecordBook } from './record-book.js';
import { RUN } from './record-kinds.js';
import { isRemovedRun } from './removed-runs.js';
import type { RetentionRule } from './retention-rule.js';
import type { RetentionStep } from './retention-step.js';
import { retireRuns } from './retire-runs.js';
import { retireVersions } from './retire-versions.js';

/** What has gone, or in a dry run what would go. */
export interface RetentionCounts {
  readonly runs: number;
  readonly versions: number;
}

export interface RetentionReport extends RetentionCounts {
  /** False when it was stopped before its end: the same again goes on. */
  readonly isComplete: boolean;
  /** Of the last change that it made; null when it made none. */
  readonly sequence: number | null;
}

export interface RetentionOptions {
  readonly isDryRun: boolean;
  /** Looked at between two steps. */
  readonly signal: AbortSignal;
  /** Is told of all that has gone by the end of each step. */
  readonly onStep?: (counts: RetentionCounts) => void;
}

/**
 * Removes runs and versions of data sets that have had their time, and leaves lineage as it is (ADR 0013). It goes in steps, each of
 * them one transaction that leaves the graph consistent, so it can end anywhere and be begun anew by anybody.
 */
export class LineageRetention {
  readonly #store: LineageStore;

  constructor(store: LineageStore) {
    this.#store = store;
  }

  /** @throws AppError STORE_UNAVAILABLE, TIMEOUT; what was removed until then stays removed */
  async apply(rule: RetentionRule, options: RetentionOptions, context: WriteContext): Promise<RetentionReport> {
    const pass = new RetentionPass(this.#store, options, context);
    return pass.run(rule);
  }

  /** Whether there was a run of that urn, which retention has removed. */
  isRemoved(run: string): Promise<boolean> {
    return this.#store.look(async (holdings) => {
      const book = new RecordBook(holdings);
      await book.load([[RUN, run]]);
      return isRemovedRun(book, run);
    });
  }
}

class RetentionPass {
  readonly #store: LineageStore;
  readonly #options: RetentionOptions;
  readonly #context: WriteContext;
  #counts: RetentionCounts = { runs: 0, versions: 0 };
  #sequence: number | null = null;
  #isStopped = false;

  constructor(store: LineageStore, options: RetentionOptions, context: WriteContext) {
    this.#store = store;
    this.#options = options;
    this.#context = context;
  }

  async run(rule: RetentionRule): Promise<RetentionReport> {
    const gone = new Set<string>();
    const runs = this.#steps((holdings, after: SeriesPlace | null) => retireRuns(holdings, rule, after));
    for await (const retired of runs) {
      if (this.#options.isDryRun) for (const run of retired) gone.add(run);
      this.#count({ runs: retired.length, versions: 0 });
    }
    const versions = this.#steps((holdings, after: string | null) => retireVersions(holdings, rule, after, gone));
    for await (const retired of versions) this.#count({ runs: 0, versions: retired.length });
    return { ...this.#counts, isComplete: !this.#isStopped, sequence: this.#sequence };
  }

  /** Goes on to the last step, unless it is stopped. @returns what has gone with each */
  async *#steps<Place>(
    look: (holdings: LineageHoldings, after: Place | null) => Promise<RetentionStep<Place>>,
  ): AsyncGenerator<readonly string[]> {
    let next: Place | null = null;
    do {
      if (this.#options.signal.aborted) {
        this.#isStopped = true;
        return;
      }
      const after: Place | null = next;
      const done: RetentionStep<Place> = await this.#step((holdings) => look(holdings, after));
      yield done.retired;
      next = done.next;
    } while (next !== null);
  }

  /** Most of what is old and still there stays, so a step writes, and holds up the events, only when a look has found something. */
  async #step<Place>(
    look: (holdings: LineageHoldings) => Promise<RetentionStep<Place>>,
  ): Promise<RetentionStep<Place>> {
    const seen = await this.#store.look(look);
    if (this.#options.isDryRun || seen.retired.length === 0) return seen;
    let done = seen;
    const sequence = await this.#store.revise(async (holdings) => {
      done = await look(holdings);
      return done.write;
    }, this.#context);
    this.#sequence = sequence ?? this.#sequence;
    return done;
  }

  #count({ runs, versions }: RetentionCounts): void {
    this.#counts = { runs: this.#counts.runs + runs, versions: this.#counts.versions + versions };
    this.#options.onStep?.(this.#counts);
  }
}
