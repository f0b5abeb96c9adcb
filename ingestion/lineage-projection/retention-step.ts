import type { LineageWrite } from '#graph-store';

/** One step of retention. @typeParam Place where in the order of its things a step begins */
export interface RetentionStep<Place> {
  readonly write: LineageWrite;
  /** Urns of what goes with it. */
  readonly retired: readonly string[];
  /** Where the next step begins; null when this was the last. */
  readonly next: Place | null;
}
