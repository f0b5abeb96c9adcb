import { EVENT_LIMITS } from './event-limits.js';
import type { SchemaField } from './facet-schemas.js';
import { knownFacet } from './facet-table.js';
import type { QualifiedName } from './lineage-event.js';
import type { DatasetState, RunState } from './lineage-state.js';
import { datasetUrnOf, fieldUrnOf, jobUrnOf, runIdOf, runUrn } from './lineage-urns.js';

/*
 * What follows from the facets of a merged state. It is read from the state and not from single events, so that a facet which
 * was replaced leaves nothing behind.
 */

export interface RunReference {
  readonly run: string;
  readonly job: string;
}

/** The run that a run is a part of, and the one at the top; null where none is told. */
export function parentsOf({ facets }: RunState): {
  readonly parent: RunReference | null;
  readonly root: RunReference | null;
} {
  const parent = knownFacet(facets, 'run', 'parent');
  return {
    parent: parent === undefined ? null : referenceTo(parent),
    root: parent?.root ? referenceTo(parent.root) : null,
  };
}

/** Null where a urn would be too long to be found again, as for all that events name. */
function referenceTo(told: { run: { runId: string }; job: QualifiedName }): RunReference | null {
  const reference = { run: runUrn(runIdOf(told.run.runId)), job: jobUrnOf(told.job) };
  return Object.values(reference).some((urn) => urn.length > EVENT_LIMITS.urnLength) ? null : reference;
}

export interface Alias extends QualifiedName {
  readonly urn: string;
  /** For instance `TABLE`; null when it is not told. */
  readonly type: string | null;
}

/** Other names of a data set. They help to find it and never make it one with another data set. */
export function aliasesOf({ urn, facets }: DatasetState): readonly Alias[] {
  const identifiers = knownFacet(facets, 'dataset', 'symlinks')?.identifiers ?? [];
  return identifiers
    .map(({ namespace, name, type }) => ({
      urn: datasetUrnOf({ namespace, name }),
      namespace,
      name,
      type: type ?? null,
    }))
    .filter((alias) => alias.urn !== urn && alias.urn.length <= EVENT_LIMITS.urnLength);
}

export interface FieldFact {
  readonly urn: string;
  /** Members of nested columns stand after their parent's name and a dot. */
  readonly name: string;
  readonly type: string | null;
  readonly description: string | null;
  /** Place in the data set, or in the column that it is nested in, from 1. */
  readonly ordinal: number;
}

/** The columns that the schema of a data set names, nested ones after those that they are a part of. */
export function fieldsOf(dataset: DatasetState): readonly FieldFact[] {
  const found = new Map<string, FieldFact>();
  const visit = (fields: readonly SchemaField[], prefix: string): void => {
    for (const [index, field] of fields.entries()) {
      const name = `${prefix}${field.name}`;
      const urn = fieldUrnOf(dataset, name);
      if (urn.length > EVENT_LIMITS.urnLength) continue;
      if (!found.has(urn)) {
        found.set(urn, {
          urn,
          name,
          type: field.type ?? null,
          description: field.description ?? null,
          ordinal: field.ordinal_position ?? index + 1,
        });
      }
      visit(field.fields ?? [], `${name}.`);
    }
  };
  visit(knownFacet(dataset.facets, 'dataset', 'schema')?.fields ?? [], '');
  return [...found.values()];
}
