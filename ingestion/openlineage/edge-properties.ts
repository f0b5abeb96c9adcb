import { isManualSource, runOfSource } from './assertion-sources.js';
import type { Interval } from './edge-validity.js';

/** What an edge of lineage carries, as `lineage-statements.ts` of graph-schema says. */
export type EdgeProperties = Readonly<{
  validFrom: readonly string[];
  validTo: readonly string[];
  current: boolean;
  /** As long as `validFrom`; urns of runs, `manualSource` of who has done it by hand, an empty text where nobody is known. */
  firstRuns: readonly string[];
  lastRuns: readonly string[];
}>;

/** The properties of an edge that is valid in these intervals. */
export function edgeProperties(intervals: readonly Interval[]): EdgeProperties {
  const shown = withoutSeams(intervals);
  return {
    validFrom: shown.map(({ first }) => first.at),
    validTo: shown.flatMap(({ closed }) => (closed === null ? [] : [closed.at])),
    current: shown.at(-1)?.closed === null,
    firstRuns: shown.map(({ first }) => shownSource(first.by)),
    lastRuns: shown.map(({ last }) => shownSource(last.by)),
  };
}

const shownSource = (by: string): string => (isManualSource(by) ? by : (runOfSource(by) ?? ''));

/** An edge that ends and begins in one instant, by runs of different names, is valid all the time as far as times can tell. */
function withoutSeams(intervals: readonly Interval[]): readonly Interval[] {
  const shown: Interval[] = [];
  for (const interval of intervals) {
    const before = shown.at(-1);
    if (before?.closed?.at === interval.first.at) shown[shown.length - 1] = { ...interval, first: before.first };
    else shown.push(interval);
  }
  return shown;
}
