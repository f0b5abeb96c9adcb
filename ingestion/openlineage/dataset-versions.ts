import type { EventTime } from './event-time.js';
import { knownFacet } from './facet-table.js';
import type { RunState, UseState } from './lineage-state.js';
import { completedAt } from './run-outcome.js';

/** A version that a run has written, in the order of its data set. */
export interface WrittenVersion {
  /** As in the facet `version`; where the client tells none, made from the run. */
  readonly version: string;
  readonly run: string;
  /** When its run completed. */
  readonly at: EventTime;
}

/** The version that a client names itself for a data set that a run reads or writes. */
export function namedVersion({ version }: UseState): string | null {
  return knownFacet(version, 'dataset', 'version')?.datasetVersion ?? null;
}

/**
 * The version that a run has written. Most clients name none; then the completion of the run makes one, named by the run.
 *
 * @returns null for a run that has named none and has not completed
 */
export function writtenVersion(run: RunState, use: UseState): WrittenVersion | null {
  const named = namedVersion(use);
  const completed = completedAt(run.outcome);
  const at = completed ?? (named === null ? null : run.outcome.last);
  return at === null ? null : { version: named ?? `run-${run.id}`, run: run.urn, at };
}

/**
 * The version that a run has read: the one that it names, or the latest that another run had written when this one began.
 * A write that becomes known late so changes what runs have read that began between it and the next write of the data set; the
 * caller asks this again for them.
 *
 * @param began when the run began; null when that is not known
 * @param written of the data set; only the latest at or before the beginning of the run matters, others do no harm
 * @returns null when the data set has no version by then
 */
export function readVersion(use: UseState, began: EventTime | null, written: readonly WrittenVersion[]): string | null {
  return namedVersion(use) ?? (began === null ? null : (latestWritten(use, began, written)?.version ?? null));
}

/** The latest version that another run than the user's had written by then; of several of one time, that of the greatest urn. */
export function latestWritten(use: UseState, by: EventTime, written: readonly WrittenVersion[]): WrittenVersion | null {
  return written
    .filter((version) => version.run !== use.run && version.at <= by)
    .reduce<WrittenVersion | null>((best, version) => (best === null || isLater(version, best) ? version : best), null);
}

function isLater(a: WrittenVersion, b: WrittenVersion): boolean {
  return a.at === b.at ? a.run > b.run : a.at > b.at;
}
