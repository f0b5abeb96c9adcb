import { type EventTime, earlier, later } from './event-time.js';
import type { EventType } from './lineage-event.js';

/** States of a run, the strongest first: what a stronger event has said no weaker one takes back, whichever came first. */
const ENDS = ['FAIL', 'ABORT', 'COMPLETE'] as const;
type EndState = (typeof ENDS)[number];
export type OutcomeState = EndState | 'RUNNING' | 'OTHER';

/**
 * All that the events of one run say about its course, kept so that two parts of it merge in any order: nothing here is ever
 * overwritten, each time is the least or the greatest of its kind.
 */
export interface RunOutcome {
  /** Of the earliest START. */
  readonly started: EventTime | null;
  /** True after a START or RUNNING. */
  readonly running: boolean;
  /** Of the earliest and the latest event of any type; null for a run that others only name. */
  readonly first: EventTime | null;
  readonly last: EventTime | null;
  /** Of the latest event of each type that ends a run: Spark sends several COMPLETE for one. */
  readonly ended: Readonly<Record<EndState, EventTime | null>>;
}

export const NO_OUTCOME: RunOutcome = {
  started: null,
  running: false,
  first: null,
  last: null,
  ended: { FAIL: null, ABORT: null, COMPLETE: null },
};

export function outcomeOf(type: EventType, at: EventTime): RunOutcome {
  return {
    started: type === 'START' ? at : null,
    running: type === 'START' || type === 'RUNNING',
    first: at,
    last: at,
    ended: {
      FAIL: type === 'FAIL' ? at : null,
      ABORT: type === 'ABORT' ? at : null,
      COMPLETE: type === 'COMPLETE' ? at : null,
    },
  };
}

export function mergeOutcomes(a: RunOutcome, b: RunOutcome): RunOutcome {
  return {
    started: earlier(a.started, b.started),
    running: a.running || b.running,
    first: earlier(a.first, b.first),
    last: later(a.last, b.last),
    ended: {
      FAIL: later(a.ended.FAIL, b.ended.FAIL),
      ABORT: later(a.ended.ABORT, b.ended.ABORT),
      COMPLETE: later(a.ended.COMPLETE, b.ended.COMPLETE),
    },
  };
}

export function stateOf(outcome: RunOutcome): OutcomeState {
  return ENDS.find((state) => outcome.ended[state] !== null) ?? (outcome.running ? 'RUNNING' : 'OTHER');
}

/** When the run began as far as is known: without a START, at its first event. */
export function startedAt(outcome: RunOutcome): EventTime | null {
  return outcome.started ?? outcome.first;
}

/** When the run came to the state that it is in; null while it has not ended. */
export function endedAt(outcome: RunOutcome): EventTime | null {
  const state = stateOf(outcome);
  return state === 'RUNNING' || state === 'OTHER' ? null : outcome.ended[state];
}

/** When the run completed; null for one that has not, and for one that completed and failed, which counts as failed. */
export function completedAt(outcome: RunOutcome): EventTime | null {
  return stateOf(outcome) === 'COMPLETE' ? outcome.ended.COMPLETE : null;
}
