import type { EditWord } from './edit-words.js';
import { EVENT_LIMITS } from './event-limits.js';
import type { EventTime } from './event-time.js';
import { type FacetTable, NO_FACETS } from './facet-table.js';
import type { Finding } from './findings.js';
import { inOrder } from './in-order.js';
import { columnEdgeKey, mergeSpans, type Span } from './lineage-claims.js';
import type { QualifiedName } from './lineage-event.js';
import {
  type AssertionState,
  type DatasetState,
  type EditState,
  type JobState,
  keyOfAssertion,
  keyOfEdit,
  keyOfUse,
  type LineageState,
  mergeFaceted,
  mergeRuns,
  mergeUses,
  type RunState,
  type UseState,
} from './lineage-state.js';
import { datasetUrnOf, fieldUrnOf, jobUrnOf, runIdOf, runUrn } from './lineage-urns.js';
import { NO_OUTCOME, type RunOutcome } from './run-outcome.js';
import type { RollBack } from './run-roll-back.js';

/** Whose edges are claimed, and by which source. */
export type Author = Pick<AssertionState, 'owner' | 'by'>;

/** A column of a data set, by name. */
export interface ColumnName {
  readonly dataset: QualifiedName;
  readonly field: string;
}

/** Gathers what one event says, thing by thing, into a state. Things that are only named get an entry without facets. */
export class FactCollector {
  readonly warnings: Finding[] = [];
  readonly #at: EventTime;
  readonly #jobs = new Map<string, JobState>();
  readonly #runs = new Map<string, RunState>();
  readonly #datasets = new Map<string, DatasetState>();
  readonly #uses = new Map<string, UseState>();
  readonly #assertions = new Map<string, Draft>();
  readonly #edits = new Map<string, EditState>();
  readonly #spans = new Map<string | null, Span>();
  #columnEdges = 0;

  constructor(at: EventTime) {
    this.#at = at;
  }

  /** @returns the urn; null for one that would be too long to be found again */
  job({ namespace, name }: QualifiedName, facets: FacetTable = NO_FACETS): string | null {
    const urn = this.#usable(jobUrnOf({ namespace, name }));
    if (urn === null) return null;
    putNamed(this.#jobs, urn, { urn, namespace, name, facets });
    return urn;
  }

  /** The run that an event is of. */
  run(givenId: string, job: string, outcome: RunOutcome, facets: FacetTable): string | null {
    return this.#run(givenId, { jobs: [job], outcome, facets, rollBack: null });
  }

  /** A run that the event names and is not of: one of which its own is a part, or one of another job. */
  namedRun(givenId: string, job: string): string | null {
    const nothingElse = { outcome: NO_OUTCOME, facets: NO_FACETS, rollBack: null };
    return this.#run(givenId, { jobs: [job], ...nothingElse, namedAt: this.#at });
  }

  /** Of a run whatever its jobs are. */
  rollBack(id: string, rollBack: RollBack): void {
    const urn = runUrn(id);
    const run = { urn, id, jobs: [], outcome: NO_OUTCOME, facets: NO_FACETS, rollBack };
    put(this.#runs, urn, run, mergeRuns);
  }

  edit(edge: Omit<EditState, 'words'>, id: string, word: EditWord): void {
    this.#edits.set(keyOfEdit(edge), { ...edge, words: { [id]: word } });
  }

  dataset({ namespace, name }: QualifiedName, facets: FacetTable = NO_FACETS): string | null {
    const urn = this.#usable(datasetUrnOf({ namespace, name }));
    if (urn === null) return null;
    putNamed(this.#datasets, urn, { urn, namespace, name, facets });
    return urn;
  }

  use(use: UseState): void {
    const key = keyOfUse(use);
    put(this.#uses, key, use, mergeUses);
  }

  /** Says that there is such a source, which may end without having claimed anything. */
  source(author: Author, outcome: RunOutcome): void {
    this.#draft(author).outcome = outcome;
  }

  claim(author: Author, side: 'inputs' | 'outputs', dataset: string): void {
    this.#draft(author)[side].set(dataset, this.#span(null));
  }

  /** @param note canonical JSON of what is known of the edge */
  claimColumn(author: Author, from: ColumnName, to: ColumnName, note: string | null): void {
    if (this.#columnEdges >= EVENT_LIMITS.columnEdges) {
      this.#warnOnce(
        '',
        `tells of more than ${EVENT_LIMITS.columnEdges} edges between columns: the others are left out`,
      );
      return;
    }
    const source = this.dataset(from.dataset);
    const target = this.dataset(to.dataset);
    const fromUrn = this.#usable(fieldUrnOf(from.dataset, from.field));
    const toUrn = this.#usable(fieldUrnOf(to.dataset, to.field));
    if (source === null || target === null || fromUrn === null || toUrn === null) return;
    const { columns } = this.#draft(author);
    const edges = columns.get(target) ?? new Map<string, Span>();
    columns.set(target, edges);
    put(edges, columnEdgeKey(fromUrn, toUrn), this.#span(note), mergeSpans);
    this.#columnEdges += 1;
  }

  warn(path: string, rule: string): void {
    this.warnings.push({ path, rule });
  }

  state(): LineageState {
    const assertions = [...this.#assertions].map(([key, draft]) => [key, finished(draft)] as const);
    return {
      jobs: inOrder(this.#jobs),
      runs: inOrder(this.#runs),
      datasets: inOrder(this.#datasets),
      uses: inOrder(this.#uses),
      assertions: inOrder(assertions),
      edits: inOrder(this.#edits),
    };
  }

  #run(givenId: string, told: Omit<RunState, 'urn' | 'id'>): string | null {
    const id = runIdOf(givenId);
    const urn = this.#usable(runUrn(id));
    if (urn === null) return null;
    put(this.#runs, urn, { urn, id, ...told }, mergeRuns);
    return urn;
  }

  /** One object for all edges of which one thing is said: most of an event are alike. */
  #span(note: string | null): Span {
    const held = this.#spans.get(note);
    if (held !== undefined) return held;
    const span = { first: this.#at, last: this.#at, note };
    this.#spans.set(note, span);
    return span;
  }

  #draft(author: Author): Draft {
    const key = keyOfAssertion(author);
    const held = this.#assertions.get(key);
    if (held !== undefined) return held;
    const { owner, by } = author;
    const draft = { owner, by, outcome: NO_OUTCOME, inputs: new Map(), outputs: new Map(), columns: new Map() };
    this.#assertions.set(key, draft);
    return draft;
  }

  #usable(urn: string): string | null {
    if (urn.length <= EVENT_LIMITS.urnLength) return urn;
    this.#warnOnce(
      '',
      `names a thing whose urn would have more than ${EVENT_LIMITS.urnLength} characters: it is left out`,
    );
    return null;
  }

  #warnOnce(path: string, rule: string): void {
    if (!this.warnings.some((warning) => warning.rule === rule)) this.warn(path, rule);
  }
}

interface Draft extends Author {
  outcome: RunOutcome;
  readonly inputs: Map<string, Span>;
  readonly outputs: Map<string, Span>;
  readonly columns: Map<string, Map<string, Span>>;
}

function finished({ owner, by, outcome, inputs, outputs, columns }: Draft): AssertionState {
  return {
    owner,
    by,
    outcome,
    inputs: inOrder(inputs),
    outputs: inOrder(outputs),
    columns: inOrder([...columns].map(([target, claims]) => [target, inOrder(claims)] as const)),
    isRolledBack: false,
  };
}

/** Naming a thing once more says nothing new of it. */
function putNamed<T extends { readonly facets: FacetTable }>(held: Map<string, T>, urn: string, value: T): void {
  if (value.facets !== NO_FACETS || !held.has(urn)) put(held, urn, value, mergeFaceted);
}

function put<T>(held: Map<string, T>, key: string, value: T, merge: (a: T, b: T) => T): void {
  const before = held.get(key);
  held.set(key, before === undefined ? value : merge(before, value));
}
