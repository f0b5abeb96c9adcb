import type { PropertyPatch } from '#graph-store';
import {
  aliasesOf,
  type DatasetState,
  dateOf,
  endedAt,
  type FieldFact,
  facetsText,
  fieldsOf,
  isOwnUnitUrn,
  type JobState,
  knownFacet,
  parentsOf,
  type RunState,
  startedAt,
  stateOf,
} from '../openlineage/index.js';
import type { ProjectedBatch } from './projected-batch.js';
import type { RecordBook } from './record-book.js';
import { COLUMNS, RUN, type RunRecord } from './record-kinds.js';
import { isRemovedRun } from './removed-runs.js';
import type { Told } from './told-changes.js';

/**
 * What facets say of a node. A property of which no facet has ever told is left as it is, since users may have set it; one of
 * which a facet has told goes with it.
 */
function toldProperties<T>({ before, after }: Told<T>, read: (state: T) => PropertyPatch): PropertyPatch {
  const had = before === null ? {} : read(before);
  const has = Object.entries(read(after)).filter(([name, value]) => value !== null || (had[name] ?? null) !== null);
  return Object.fromEntries(has);
}

/** Of a unit of Nucleus events know but the name, as the parent of their jobs: what it is, it has told itself. */
export function projectJob(batch: ProjectedBatch, told: Told<JobState>): void {
  const { urn, namespace, name } = told.after;
  if (isOwnUnitUrn(urn)) return;
  const properties = toldProperties(told, ({ facets }) => ({
    description: knownFacet(facets, 'job', 'documentation')?.description ?? null,
    type: knownFacet(facets, 'job', 'jobType')?.processingType.toLowerCase() ?? null,
    facets: facetsText(facets),
  }));
  batch.entity({ kind: 'Job', urn, name, properties: { namespace, ...properties } });
}

export async function projectRuns(
  book: RecordBook,
  batch: ProjectedBatch,
  runs: readonly Told<RunRecord>[],
): Promise<void> {
  const parents = runs.map(({ after }) => parentOf(after.state)).filter((urn) => urn !== null);
  await book.load(parents.map((urn) => [RUN, urn] as const));
  for (const run of runs) projectRun(book, batch, run);
}

/**
 * A run is shown once an event tells that it is one of a client's jobs, until retention removes it. A run of Nucleus, which events
 * name as the parent of theirs, stays as Nucleus itself has written it.
 */
function projectRun(book: RecordBook, batch: ProjectedBatch, { before, after }: Told<RunRecord>): void {
  const { urn, id, outcome, facets } = after.state;
  const jobs = after.state.jobs.filter((job) => !isOwnUnitUrn(job));
  if (jobs.length === 0 || after.isRemoved === true) return;
  const [started, ended] = [startedAt(outcome), endedAt(outcome)];
  const error = knownFacet(facets, 'run', 'errorMessage')?.message ?? null;
  const { parent, root } = parentsOf(after.state);
  const properties: PropertyPatch = {
    id,
    state: stateOf(outcome),
    startedAt: started === null ? null : dateOf(started),
    endedAt: ended === null ? null : dateOf(ended),
    errorMessage: error,
    root: root?.run ?? null,
    facets: facetsText(facets),
    ...rollBackProperties(after.state),
  };
  batch.entity({ kind: 'Run', urn, name: id, properties });
  for (const job of jobs) batch.edge('HAS_RUN', job, urn);
  const earlier = parentOf(before?.state);
  if (earlier !== null && earlier !== parent?.run) batch.deleteEdge('PART_OF', urn, earlier);
  if (parent !== null && parent.run !== urn && !isRemovedRun(book, parent.run)) batch.edge('PART_OF', urn, parent.run);
}

/** Nothing for the many that nobody has ever rolled back. */
function rollBackProperties({ rollBack }: RunState): PropertyPatch {
  if (rollBack === null) return {};
  const { at, actor, reason } = rollBack;
  if (!rollBack.isRolledBack) return { rolledBackAt: null, rolledBackBy: null, rollBackReason: null };
  return { rolledBackAt: dateOf(at), rolledBackBy: actor, rollBackReason: reason };
}

const parentOf = (run: RunState | undefined): string | null =>
  run === undefined ? null : (parentsOf(run).parent?.run ?? null);

export function projectDataset(batch: ProjectedBatch, told: Told<DatasetState>): void {
  const { urn, namespace, name } = told.after;
  const properties = toldProperties(told, (state) => {
    const { facets } = state;
    const aliases = aliasesOf(state).map((alias) => alias.urn);
    return {
      description: knownFacet(facets, 'dataset', 'documentation')?.description ?? null,
      type: knownFacet(facets, 'dataset', 'datasetType')?.datasetType.toLowerCase() ?? null,
      format: knownFacet(facets, 'dataset', 'storage')?.fileFormat ?? null,
      aliases: aliases.length === 0 ? null : aliases,
      facets: facetsText(facets),
    };
  });
  batch.entity({ kind: 'Dataset', urn, name, properties: { namespace, ...properties } });
}

/**
 * The columns that schemas name. One that a schema names no more is deleted, unless lineage speaks of it: then it is one of which
 * nothing but the name is known. Call it after the edges between columns.
 */
export async function projectFields(
  book: RecordBook,
  batch: ProjectedBatch,
  datasets: readonly Told<DatasetState>[],
): Promise<void> {
  const changed = datasets.filter(({ before, after }) => schemaText(before) !== schemaText(after));
  await book.load(changed.map(({ after }) => [COLUMNS, after.urn] as const));
  for (const { before, after } of changed) {
    const fields = fieldsOf(after);
    const there = new Set(fields.map(({ urn }) => urn));
    const claimed = new Set(book.get(COLUMNS, after.urn)?.claimed);
    for (const field of before === null ? [] : fieldsOf(before)) {
      if (there.has(field.urn)) continue;
      batch.deleteEdge('HAS_FIELD', after.urn, field.urn);
      if (claimed.has(field.urn)) batch.entity(fieldEntity(after, { ...field, ...NOTHING_KNOWN }));
      else batch.deleteEntity(field.urn);
    }
    for (const field of fields) {
      batch.entity(fieldEntity(after, field));
      batch.edge('HAS_FIELD', after.urn, field.urn);
    }
  }
}

const NOTHING_KNOWN = { type: null, description: null, ordinal: null };

const schemaText = (dataset: DatasetState | null): string | null =>
  dataset !== null && Object.hasOwn(dataset.facets, 'schema') ? (dataset.facets.schema?.text ?? null) : null;

type ShownField = Omit<FieldFact, 'ordinal'> & { readonly ordinal: number | null };

function fieldEntity(
  { namespace, name: dataset }: DatasetState,
  { urn, name, type, description, ordinal }: ShownField,
) {
  return { kind: 'Field' as const, urn, name, properties: { namespace, dataset, type, description, ordinal } };
}
