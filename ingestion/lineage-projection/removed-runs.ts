import { NO_FACETS, type UseState } from '../openlineage/index.js';
import type { RecordBook } from './record-book.js';
import { RUN, type RunRecord } from './record-kinds.js';

/*
 * What stays known of a run that retention has removed: enough for its late events and its roll-back to count as those of any
 * other run, both for lineage and for what others have read, and nothing of what it has told beside that.
 */

/** Whether retention has removed a run. Its record must be loaded; one that nothing is known of was never there. */
export function isRemovedRun(book: RecordBook, urn: string): boolean {
  return book.get(RUN, urn)?.isRemoved === true;
}

export function removedRun({ state, uses }: RunRecord): RunRecord {
  return { state: { ...state, facets: NO_FACETS }, uses: uses.filter(isOutput), isRemoved: true };
}

/** What such a run has written: of its facets the name of the version alone. */
export function removedOutput(use: UseState): UseState {
  const named = Object.entries(use.version).filter(([facet]) => facet === 'version');
  return { ...use, version: Object.fromEntries(named), facets: NO_FACETS };
}

/** By the key of a use; urns hold no blanks. */
const isOutput = (key: string): boolean => key.split(' ')[1] === 'output';
