import type { EventTime } from './event-time.js';
import type { Claims, Side, Span } from './lineage-claims.js';
import type { AssertionState } from './lineage-state.js';
import { completedAt } from './run-outcome.js';

/** A moment in the life of an edge: when, and by which source. Two moments never tie unless they are the same. */
export interface Moment {
  readonly at: EventTime;
  /** Urn of a run, or `staticSource`. */
  readonly by: string;
}

/** A time in which an edge is valid: from its first assertion until a run that went without it; `closed` itself is outside. */
export interface Interval {
  readonly first: Moment;
  readonly last: Moment;
  /** Null while it is valid. */
  readonly closed: Moment | null;
}

/** What one source says of one edge: that it is there, or, having completed with others on that side, that it is not. */
export type Word =
  | { readonly is: 'claim'; readonly by: string; readonly span: Span }
  | { readonly is: 'denial'; readonly by: string; readonly at: EventTime };

export function compareMoments(a: Moment, b: Moment): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  if (a.by !== b.by) return a.by < b.by ? -1 : 1;
  return 0;
}

export function claimsOn(assertion: AssertionState, side: Side): Claims {
  if (side === 'inputs') return assertion.inputs;
  if (side === 'outputs') return assertion.outputs;
  const { columns } = assertion;
  return (Object.hasOwn(columns, side.columnsOf) ? columns[side.columnsOf] : undefined) ?? {};
}

/**
 * Null for a source that says nothing of the edge: a run that was rolled back, and one that names nothing on this side, which may
 * just not have told.
 */
export function wordOn(assertion: AssertionState, side: Side, edge: string): Word | null {
  if (assertion.isRolledBack) return null;
  const claims = claimsOn(assertion, side);
  const span = Object.hasOwn(claims, edge) ? claims[edge] : undefined;
  if (span !== undefined) return { is: 'claim', by: assertion.by, span };
  const at = completedAt(assertion.outcome);
  if (at === null || Object.keys(claims).length === 0) return null;
  return { is: 'denial', by: assertion.by, at };
}

/**
 * The validity of one edge of one owner, from all that its sources say. Every claim opens or goes on with an interval, whatever
 * became of its run; a denial closes it unless a run that claims the edge is under way, that is, has claimed it before and does
 * so again afterwards. Moments are ordered by event time, then source; the order of `words` does not matter.
 */
export function validityOf(words: readonly Word[]): readonly Interval[] {
  const sweep = new Sweep(null, 0);
  for (const step of stepsOf(words)) sweep.take(step);
  return sweep.intervals();
}

/**
 * What the latest claim says of the edge itself, as JSON; null for nothing.
 *
 * @param words of which that claim may be missing when it has not changed
 * @returns undefined when it is missing: what is stored stands
 */
export function noteOf(intervals: readonly Interval[], words: readonly Word[]): string | null | undefined {
  const last = intervals.at(-1)?.last;
  const claim = words.find((word) => word.is === 'claim' && word.by === last?.by);
  return claim?.is === 'claim' ? claim.span.note : undefined;
}

/** A moment with what happens in it. */
export interface Step extends Moment {
  readonly does: 'begin' | 'end' | 'deny';
}

export function stepsOf(words: readonly Word[]): Step[] {
  return (
    words
      .flatMap((word): Step[] =>
        word.is === 'denial'
          ? [{ at: word.at, by: word.by, does: 'deny' }]
          : [
              { at: word.span.first, by: word.by, does: 'begin' },
              { at: word.span.last, by: word.by, does: 'end' },
            ],
      )
      // Stable, so a claim of a single moment begins before it ends.
      .sort(compareMoments)
  );
}

/** Walks the steps of one edge in order. */
export class Sweep {
  readonly #done: Interval[] = [];
  #open: Interval | null;
  #underWay: number;

  /**
   * @param open the interval that is open before the first step, with the last moment that is known by then
   * @param underWay runs that have claimed the edge before and will again
   */
  constructor(open: Interval | null, underWay: number) {
    this.#open = open;
    this.#underWay = underWay;
  }

  take({ at, by, does }: Step): void {
    const moment = { at, by };
    if (does === 'deny') {
      if (this.#open === null || this.#underWay > 0) return;
      this.#done.push({ ...this.#open, closed: moment });
      this.#open = null;
      return;
    }
    this.#underWay += does === 'begin' ? 1 : -1;
    this.#open = { first: this.#open?.first ?? moment, last: moment, closed: null };
  }

  /** The interval that is open after the steps so far. */
  get open(): Interval | null {
    return this.#open;
  }

  get closed(): readonly Interval[] {
    return this.#done;
  }

  intervals(): readonly Interval[] {
    return this.#open === null ? this.#done : [...this.#done, this.#open];
  }
}
