import { staticSource } from './assertion-sources.js';
import { canonicalText } from './canonical-text.js';
import type { EventTime } from './event-time.js';
import type { ColumnLineage, LineageOfDataset, LineageOfJob, LineageSource, Transformations } from './facet-schemas.js';
import type { Author, FactCollector } from './fact-collector.js';
import type { QualifiedName } from './lineage-event.js';
import { isOwnUnit } from './lineage-urns.js';

/** Who tells: the job of the event with its run, or a Dataset event, which has no job. */
export interface Teller {
  readonly at: EventTime;
  readonly author: Author;
  /** Name of the event's job; null in a Dataset event. */
  readonly job: QualifiedName | null;
}

/** What a facet `columnLineage` says of the columns of its data set. */
export function claimColumns(
  facts: FactCollector,
  { author }: Teller,
  target: QualifiedName,
  facet: ColumnLineage,
): void {
  for (const [field, { inputFields, transformationType, transformationDescription }] of Object.entries(facet.fields)) {
    // Deprecated, but still sent by older clients: one transformation for all inputs of the column.
    const older = transformationType ? [{ type: transformationType, description: transformationDescription }] : [];
    for (const input of inputFields) {
      const note = noteOf(input.transformations.length > 0 ? input.transformations : older);
      facts.claimColumn(author, { dataset: input, field: input.field }, { dataset: target, field }, note);
    }
  }
  for (const input of facet.dataset) {
    const from = { dataset: input, field: input.field };
    claimForAll(facts, author, from, target, Object.keys(facet.fields), input.transformations);
  }
}

/** What a facet `lineage` of a data set says: what feeds it, and which columns make which. */
export function claimLineageOfDataset(
  facts: FactCollector,
  teller: Teller,
  target: QualifiedName,
  facet: LineageOfDataset,
): void {
  const { author, job } = teller;
  const dataset = facts.dataset(target);
  if (dataset === null) return;
  const columns = Object.keys(facet.fields);
  if (job !== null) facts.claim(author, 'outputs', dataset);
  for (const source of facet.inputs) {
    if (source.type === 'JOB') {
      claimBySource(facts, teller, source, (maker) => facts.claim(maker, 'outputs', dataset));
      continue;
    }
    const from = facts.dataset(source);
    if (from === null) continue;
    if (job !== null) facts.claim(author, 'inputs', from);
    else
      facts.warn('dataset.facets.lineage', 'names source data sets but no job: columns are linked, data sets are not');
    if (source.field) {
      claimForAll(facts, author, { dataset: source, field: source.field }, target, columns, source.transformations);
    }
  }
  for (const [field, { inputs }] of Object.entries(facet.fields)) {
    for (const source of inputs) {
      if (source.type === 'JOB') {
        claimBySource(facts, teller, source, (maker) => facts.claim(maker, 'outputs', dataset));
      } else if (source.field) {
        const note = noteOf(source.transformations);
        facts.claimColumn(author, { dataset: source, field: source.field }, { dataset: target, field }, note);
      }
    }
  }
}

/** What a facet `lineage` of a job says of targets: data sets, or jobs that read. */
export function claimLineageOfJob(facts: FactCollector, teller: Teller, facet: LineageOfJob): void {
  for (const target of facet.entries) {
    if (target.type === 'DATASET') {
      claimLineageOfDataset(facts, teller, target, target);
      continue;
    }
    claimBySource(facts, teller, { ...target, transformations: [] }, (reader) => {
      for (const source of target.inputs) {
        const from = source.type === 'DATASET' ? facts.dataset(source) : null;
        if (from !== null) facts.claim(reader, 'inputs', from);
        if (source.type === 'JOB') {
          facts.warn('job.facets.lineage', 'links a job to a job: it is kept in the facet, walks go through data sets');
        }
      }
    });
  }
}

type JobSource = Extract<LineageSource, { type: 'JOB' }>;

/** Claims for the job that a source or target names; without a name it is the event's own. */
function claimBySource(
  facts: FactCollector,
  { at, author, job }: Teller,
  { namespace, name, runId }: JobSource,
  claim: (author: Author) => void,
): void {
  const isOwn = !namespace || !name || (namespace === job?.namespace && name === job.name);
  if (isOwn) {
    if (job !== null) claim(author);
    else facts.warn('dataset.facets.lineage', 'means the job of the event, which has none');
    return;
  }
  if (isOwnUnit({ namespace, name })) {
    facts.warn(
      'facets.lineage',
      `names a job of ${namespace}: those are units of Nucleus, which tells itself what they read and write`,
    );
    return;
  }
  const owner = facts.job({ namespace, name });
  if (owner === null) return;
  // The run of this event is none of the other job, so it must not pass for one there.
  const by = runId ? facts.namedRun(runId, owner) : staticSource(at);
  if (by !== null) claim({ owner, by });
}

/** A source that decides about the whole data set, as a filter does, feeds each of the columns that the facet names. */
function claimForAll(
  facts: FactCollector,
  author: Author,
  from: { readonly dataset: QualifiedName; readonly field: string },
  target: QualifiedName,
  columns: readonly string[],
  transformations: Transformations,
): void {
  const note = noteOf(transformations);
  for (const field of columns) facts.claimColumn(author, from, { dataset: target, field }, note);
}

function noteOf(transformations: Transformations): string | null {
  return transformations.length === 0 ? null : canonicalText(transformations);
}
