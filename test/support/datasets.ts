import { datasetUrn } from '#graph-schema';
import type { EntityUpsert } from '#graph-store';

/** Urns and upserts of the data sets of one namespace, by their names. */
export function datasetsOf(namespace: string) {
  const urnOf = (name: string) => datasetUrn(namespace, name);
  const dataset = (name: string, rest: Partial<EntityUpsert> = {}): EntityUpsert => ({
    kind: 'Dataset',
    urn: urnOf(name),
    name,
    ...rest,
  });
  return { urnOf, dataset };
}
