import { compareMoments, type Interval, type Moment, type Step, Sweep, stepsOf, type Word } from './edge-validity.js';

/** A stretch of time, both ends included. */
export interface Window {
  readonly from: Moment;
  readonly to: Moment;
}

/** The window of several changes that are patched at once, as those of a batch. */
export function joinWindows(a: Window, b: Window): Window {
  return {
    from: compareMoments(a.from, b.from) < 0 ? a.from : b.from,
    to: compareMoments(a.to, b.to) > 0 ? a.to : b.to,
  };
}

/**
 * Whether an edge can change at all by what sources say that do not name it, neither before the change nor after it: when they
 * go without it at a time when it is not valid, it does not matter.
 */
export function isTouched(stored: readonly Interval[], { from, to }: Window): boolean {
  return stored.some(
    ({ first, closed }) => compareMoments(first, to) <= 0 && (closed === null || compareMoments(closed, from) >= 0),
  );
}

/**
 * The validity of one edge after a change within a window, from the validity before and the words near the window; equal to
 * `validityOf` all words. A late event in a job of 100,000 runs so needs the few runs around it.
 *
 * The caller fetches, of the owner and side, as they are after the change, the words
 *  1. with a moment (first or last claim, denial) in the window, and those of claims that begin before it and end after its start;
 *  2. of the first denial after it, if there is one;
 *  3. where a stored interval has its first claim before the window and its last one in or after it: of the claim with the
 *     latest moment before the window. No run that completed with others lies in between, so it is found within few runs;
 *  4. where a stored interval has begun by the end of the window and has its last claim after it: of the claim that begins first
 *     after the window.
 * More words do no harm. For 1. a caller that keeps runs by the time of their first event needs no scan: a run that is under way
 * in the window has begun within the longest duration of a run of that owner before it.
 *
 * @param window of the change, by `changesBetween`; of several changes at once, their windows joined
 */
export function patchValidity(stored: readonly Interval[], window: Window, near: readonly Word[]): readonly Interval[] {
  const steps = stepsOf(near);
  const before = steps.filter((step) => compareMoments(step, window.from) < 0);
  const within = steps.filter((step) => compareMoments(step, window.from) >= 0 && compareMoments(step, window.to) <= 0);
  const beyond = steps.filter((step) => compareMoments(step, window.to) > 0);

  const untouched = stored.filter(({ closed }) => closed !== null && compareMoments(closed, window.from) < 0);
  const sweep = new Sweep(openBefore(stored, window, before), underWay(before));
  for (const step of within) sweep.take(step);

  const after = stored.filter(({ first }) => compareMoments(first, window.to) > 0);
  const across = stored.find(
    ({ first, closed }) =>
      compareMoments(first, window.to) <= 0 && (closed === null || compareMoments(closed, window.to) > 0),
  );
  return [...untouched, ...sweep.closed, ...continued(sweep.open, beyond, window, across, after)];
}

/** Nothing before the window has changed, so what was open at its start still is; only its last moment lies before the window. */
function openBefore(stored: readonly Interval[], window: Window, before: readonly Step[]): Interval | null {
  const open = stored.find(
    ({ first, closed }) =>
      compareMoments(first, window.from) < 0 && (closed === null || compareMoments(closed, window.from) >= 0),
  );
  if (open === undefined) return null;
  if (compareMoments(open.last, window.from) < 0) return { ...open, closed: null };
  const latest = before.findLast((step) => step.does !== 'deny');
  const last = latest === undefined ? open.first : { at: latest.at, by: latest.by };
  return { first: open.first, last, closed: null };
}

function underWay(before: readonly Step[]): number {
  const begun = before.filter((step) => step.does === 'begin').length;
  return begun - before.filter((step) => step.does === 'end').length;
}

/**
 * What follows the window.
 * @param open the interval that is open at its end now
 * @param across the one that was open there before the change
 * @param after those that began after it: their beginnings and ends stand, unless `open` runs into the first of them
 */
function continued(
  open: Interval | null,
  beyond: readonly Step[],
  window: Window,
  across: Interval | undefined,
  after: readonly Interval[],
): readonly Interval[] {
  if (open === null) {
    const next = beyond.find((step) => step.does === 'begin');
    if (across === undefined || compareMoments(across.last, window.to) <= 0 || next === undefined) return after;
    return [{ ...across, first: { at: next.at, by: next.by } }, ...after];
  }
  if (across !== undefined) {
    // A claim within the window may be gone, for instance rolled back with its run; one beyond it is not.
    const last = compareMoments(across.last, window.to) > 0 ? across.last : open.last;
    return [{ first: open.first, last, closed: across.closed }, ...after];
  }
  const denial = beyond.find((step) => step.does === 'deny');
  const [following, ...others] = after;
  if (following !== undefined && (denial === undefined || compareMoments(denial, following.first) > 0)) {
    return [{ ...following, first: open.first }, ...others];
  }
  return [denial === undefined ? open : { ...open, closed: { at: denial.at, by: denial.by } }, ...after];
}
