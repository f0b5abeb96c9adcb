import { type EditWords, mergeEditWords } from './edit-words.js';
import { type EventTime, later } from './event-time.js';
import { type FacetTable, mergeFacets } from './facet-table.js';
import { mergeInOrder } from './in-order.js';
import { type Claims, mergeClaims, type Side } from './lineage-claims.js';
import { mergeOutcomes, type RunOutcome } from './run-outcome.js';
import { mergeRollBacks, type RollBack } from './run-roll-back.js';

export interface JobState {
  readonly urn: string;
  readonly namespace: string;
  readonly name: string;
  readonly facets: FacetTable;
}

export interface RunState {
  readonly urn: string;
  readonly id: string;
  /** Urns of the jobs that events name it with; more than one only when a client gives one id to two runs. */
  readonly jobs: readonly string[];
  readonly outcome: RunOutcome;
  /** Of the latest event that names this run and is none of its own; left out until there is one. */
  readonly namedAt?: EventTime;
  readonly facets: FacetTable;
  /** Null for a run that nobody has rolled back or restored. */
  readonly rollBack: RollBack | null;
}

export interface DatasetState {
  readonly urn: string;
  readonly namespace: string;
  readonly name: string;
  readonly facets: FacetTable;
}

/** What one run says of one data set that it reads or writes: the state of the data set that it saw. */
export interface UseState {
  readonly run: string;
  readonly dataset: string;
  readonly side: 'input' | 'output';
  /** The facet `version` of the data set as this run has sent it, and of an output the facet `schema`. */
  readonly version: FacetTable;
  /** Input or output facets. */
  readonly facets: FacetTable;
}

/** The edges that one source claims for one owner: what `FEEDS`, `PRODUCES` and `DERIVES` are projected from. */
export interface AssertionState {
  /** Urn of the job; of the data set where a Dataset event tells of columns without naming a job. */
  readonly owner: string;
  /** Urn of the run, or `staticSource` of an event without one. */
  readonly by: string;
  /** Of the run with this job; empty for a source that never closes an edge. */
  readonly outcome: RunOutcome;
  /** By urn of the data set. */
  readonly inputs: Claims;
  readonly outputs: Claims;
  /** By urn of the data set whose columns are made, then by `columnEdgeKey`. */
  readonly columns: Readonly<Record<string, Claims>>;
  /** Whether the run was rolled back: then nothing of this counts. Events tell false; it follows from the state of the run. */
  readonly isRolledBack: boolean;
}

/** What people say of one edge. */
export interface EditState {
  /** Whose edge it is, as in `AssertionState`. */
  readonly owner: string;
  readonly side: Side;
  /** Urn of the data set, or `columnEdgeKey`. */
  readonly edge: string;
  readonly words: EditWords;
}

/**
 * What any number of events and edits say together. The state of no event is `NO_STATE`, that of one event or edit comes from `assertionsOf`, and
 * `mergeStates` of two is the state of both: commutative, associative and idempotent, so that order, doubling and batches of
 * delivery leave no trace. What the graph stores of a thing is a part of this under the same rules.
 */
export interface LineageState {
  /** By urn. */
  readonly jobs: Readonly<Record<string, JobState>>;
  readonly runs: Readonly<Record<string, RunState>>;
  readonly datasets: Readonly<Record<string, DatasetState>>;
  /** By `keyOfUse`. */
  readonly uses: Readonly<Record<string, UseState>>;
  /** By `keyOfAssertion`. */
  readonly assertions: Readonly<Record<string, AssertionState>>;
  /** By `keyOfEdit`. */
  readonly edits: Readonly<Record<string, EditState>>;
}

export const NO_STATE: LineageState = { jobs: {}, runs: {}, datasets: {}, uses: {}, assertions: {}, edits: {} };

export function keyOfUse({ run, side, dataset }: Pick<UseState, 'run' | 'side' | 'dataset'>): string {
  return `${run} ${side} ${dataset}`;
}

export function keyOfAssertion({ owner, by }: Pick<AssertionState, 'owner' | 'by'>): string {
  return `${owner} ${by}`;
}

/** Urns hold no spaces, so the two sides and the columns of a data set cannot be mistaken for each other. */
export function keyOfEdit({ owner, side, edge }: Pick<EditState, 'owner' | 'side' | 'edge'>): string {
  return `${owner} ${typeof side === 'string' ? side : `columns ${side.columnsOf}`} ${edge}`;
}

export function mergeStates(a: LineageState, b: LineageState): LineageState {
  return mergeAllStates([a, b]);
}

/** Of many states at once, as each merge costs as much as its result has members. */
export function mergeAllStates(states: readonly LineageState[]): LineageState {
  const merged = <T>(membersOf: (state: LineageState) => Readonly<Record<string, T>>, merge: (a: T, b: T) => T) =>
    mergeInOrder(states.map(membersOf), merge);
  return {
    jobs: merged(({ jobs }) => jobs, mergeFaceted),
    runs: merged(({ runs }) => runs, mergeRuns),
    datasets: merged(({ datasets }) => datasets, mergeFaceted),
    uses: merged(({ uses }) => uses, mergeUses),
    assertions: merged(({ assertions }) => assertions, mergeAssertions),
    edits: merged(({ edits }) => edits, mergeEdits),
  };
}

/** Namespace and name are in the urn, so two states of one urn can differ only in their facets. */
export function mergeFaceted<T extends { readonly facets: FacetTable }>(a: T, b: T): T {
  return { ...a, facets: mergeFacets(a.facets, b.facets) };
}

export function mergeRuns(a: RunState, b: RunState): RunState {
  const { namedAt: _, ...rest } = a;
  const namedAt = later(a.namedAt ?? null, b.namedAt ?? null);
  return {
    ...rest,
    jobs: [...new Set([...a.jobs, ...b.jobs])].sort(),
    outcome: mergeOutcomes(a.outcome, b.outcome),
    facets: mergeFacets(a.facets, b.facets),
    rollBack: mergeRollBacks(a.rollBack, b.rollBack),
    ...(namedAt !== null && { namedAt }),
  };
}

/** The latest that is known of a run: its own last event, or the last that names it; null for one that only edits name. */
export function lastHeardOf({ outcome, namedAt }: RunState): EventTime | null {
  return later(outcome.last, namedAt ?? null);
}

export function isRolledBack({ rollBack }: RunState): boolean {
  return rollBack?.isRolledBack ?? false;
}

export function mergeUses(a: UseState, b: UseState): UseState {
  return { ...a, version: mergeFacets(a.version, b.version), facets: mergeFacets(a.facets, b.facets) };
}

export function mergeAssertions(a: AssertionState, b: AssertionState): AssertionState {
  return {
    ...a,
    outcome: mergeOutcomes(a.outcome, b.outcome),
    inputs: mergeClaims(a.inputs, b.inputs),
    outputs: mergeClaims(a.outputs, b.outputs),
    columns: mergeInOrder([a.columns, b.columns], mergeClaims),
    isRolledBack: a.isRolledBack || b.isRolledBack,
  };
}

function mergeEdits(a: EditState, b: EditState): EditState {
  return { ...a, words: mergeEditWords(a.words, b.words) };
}
