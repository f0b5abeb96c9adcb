import {
  type AssertionState,
  type Claims,
  type DatasetState,
  type EditWords,
  type EventTime,
  earlier,
  type FacetEntry,
  type Interval,
  isOwnUnitUrn,
  type JobState,
  lastHeardOf,
  later,
  type RunState,
  type Side,
  staticTime,
  type UseState,
  type WrittenVersion,
} from '../openlineage/index.js';
import { type GroupedMembers, groupMembers, ungroupMembers } from './grouped-members.js';
import type { RecordKind } from './record-book.js';

/** By urn. */
export const JOB: RecordKind<JobState> = { name: 'job' };
/** By urn. */
export const DATASET: RecordKind<DatasetState> = { name: 'dataset' };

export interface RunRecord {
  readonly state: RunState;
  /** By `keyOfUse`. */
  readonly uses: readonly string[];
  /** Left out until retention has removed the run: from then on nothing of it is shown. */
  readonly isRemoved?: true;
}
/** By urn. Those that retention may remove lie in time, each at the last that is known of it. */
export const RUN: RecordKind<RunRecord> = {
  name: 'run',
  place: ({ state, isRemoved }) => {
    const at = lastHeardOf(state);
    const isShown = state.jobs.length > 0 && !state.jobs.some(isOwnUnitUrn);
    return isShown && isRemoved !== true && at !== null ? { series: SERIES_OF_RUNS, first: at, last: at } : null;
  },
};

/** One series for all of them. */
export const SERIES_OF_RUNS = 'runs';

export interface UseRecord {
  readonly use: UseState;
  /** Urn of the version that the run is linked to; null when it has none. */
  readonly version: string | null;
  /** The same where the run itself names what it has read. */
  readonly named: string | null;
  /** Of an output, what the run has written. */
  readonly written: WrittenVersion | null;
  /** Of an input whose version is not named, when the run began: the version follows from it. */
  readonly began: EventTime | null;
  /** Whether the run was rolled back: then it has neither read nor written. */
  readonly isRolledBack: boolean;
  /** As in `RunRecord`. Of a run that was removed the outputs are kept, since what others have read follows from them. */
  readonly isRemoved?: true;
}
/** By `keyOfUse`. */
export const USE: RecordKind<UseRecord> = {
  name: 'use',
  place: ({ use, written, began }) => {
    const at = use.side === 'output' ? written?.at : began;
    return at ? { series: seriesOfUses(use.side, use.dataset), first: at, last: at } : null;
  },
};

export const seriesOfUses = (side: UseState['side'], dataset: string): string =>
  `${side === 'output' ? 'writes' : 'reads'} ${dataset}`;

/** By `keyOfAssertion`. */
export const ASSERTION: RecordKind<AssertionState> = {
  name: 'assertion',
  place: (assertion) => {
    const span = spanOf(assertion);
    return span && { series: seriesOfAssertions(assertion.owner), ...span };
  },
  form: {
    keep: (assertion): KeptAssertion => ({ ...assertion, columns: eachOf(assertion.columns, groupMembers) }),
    read: (kept) => {
      const assertion = kept as KeptAssertion;
      return { ...assertion, columns: eachOf(assertion.columns, ungrouped) };
    },
  },
};

interface KeptAssertion extends Omit<AssertionState, 'columns'> {
  /** By urn of the data set whose columns are made. */
  readonly columns: Readonly<Record<string, GroupedMembers<Claims[string]>>>;
}

function eachOf<A, B>(members: Readonly<Record<string, A>>, change: (member: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, change(member)]));
}

/** Records of an older server hold the members as they are. No urn is called `groups`. */
function ungrouped<T extends object>(
  kept: GroupedMembers<T> | Readonly<Record<string, T>>,
): Readonly<Record<string, T>> {
  return Array.isArray(kept.groups) ? ungroupMembers(kept as GroupedMembers<T>) : (kept as Readonly<Record<string, T>>);
}

export const seriesOfAssertions = (owner: string): string => `assertions ${owner}`;

/** When a source speaks first and last; null for one that is only named. */
export function spanOf({ by, outcome, inputs, outputs, columns }: AssertionState): Span | null {
  const claims = [inputs, outputs, ...Object.values(columns)].flatMap((side) => Object.values(side));
  const only = staticTime(by);
  const spans = [...claims, outcome, { first: only, last: only }];
  const first = spans.reduce<EventTime | null>((least, span) => earlier(least, span.first), null);
  const last = spans.reduce<EventTime | null>((greatest, span) => later(greatest, span.last), null);
  return first === null || last === null ? null : { first, last };
}

interface Span {
  readonly first: EventTime;
  readonly last: EventTime;
}

/** The longest that a source of an owner has spoken, in milliseconds, rounded up. By urn of the owner. */
export const LONGEST: RecordKind<number> = { name: 'longest' };

/** One edge of one owner. */
export interface EdgeRecord {
  /** As events have it, edits aside. */
  readonly intervals: readonly Interval[];
  /** What its latest claim says of it, as JSON. */
  readonly note: string | null;
  /** Left out while nobody has drawn or withdrawn it by hand. */
  readonly edits?: EditWords;
}

/** The edges of one side of one owner, by the urn of the data set or by `columnEdgeKey`. By `keyOfSide`. */
export const SIDE: RecordKind<Readonly<Record<string, EdgeRecord>>> = {
  name: 'side',
  form: { keep: groupMembers, read: (kept) => ungrouped(kept as GroupedMembers<EdgeRecord>) },
};

export function keyOfSide(owner: string, side: Side): string {
  return typeof side === 'string' ? `${owner} ${side}` : `${owner} columns ${side.columnsOf}`;
}

/** Keys of edges are urns, but a client may have chosen what stands in them. */
export function recordOf(side: Readonly<Record<string, EdgeRecord>>, edge: string): EdgeRecord | undefined {
  return Object.hasOwn(side, edge) ? side[edge] : undefined;
}

/** What is said of the columns of a data set. By its urn. */
export interface ColumnsRecord {
  /** Owners that make some of them out of others. */
  readonly makers: readonly string[];
  /** Urns of those that lineage names, whether or not the schema does. */
  readonly claimed: readonly string[];
}
export const COLUMNS: RecordKind<ColumnsRecord> = { name: 'columns' };

/** What keeps a version in the graph. By its urn. */
export interface VersionRecord {
  /** Who has written it, by `keyOfUse`, with its schema as told there. */
  readonly writers: Readonly<Record<string, { readonly schema: FacetEntry | null; readonly writtenAt: EventTime }>>;
  /** How many runs have named it as what they read. Those that name none read what is written. */
  readonly namedReaders: number;
}
export const VERSION: RecordKind<VersionRecord> = { name: 'version' };
