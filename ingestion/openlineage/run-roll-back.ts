import { canonicalText, hashOf } from './canonical-text.js';
import type { EventTime } from './event-time.js';

/** What the latest edit says of a run as a whole. */
export interface RollBack {
  /** False after the roll-back was taken back. */
  readonly isRolledBack: boolean;
  readonly at: EventTime;
  readonly actor: string;
  readonly reason: string | null;
}

/** The later one counts; at one time the roll-back, then either, but always the same. */
export function mergeRollBacks(a: RollBack | null, b: RollBack | null): RollBack | null {
  if (a === null || b === null) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  if (a.isRolledBack !== b.isRolledBack) return a.isRolledBack ? a : b;
  return hashOf(canonicalText(a)) >= hashOf(canonicalText(b)) ? a : b;
}
