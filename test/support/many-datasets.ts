import { datasetUrn } from '#graph-schema';
import type { EntityUpsert, GraphBatch } from '#graph-store';

/** Data sets of one namespace, each with an edge to the next one. */
export function manyDatasets(namespace: string, rows: number): GraphBatch {
  const entities = Array.from(
    { length: rows },
    (_, row): EntityUpsert => ({ kind: 'Dataset', urn: datasetUrn(namespace, `d${row}`), properties: { row } }),
  );
  const edges = entities.slice(1).map(({ urn }, row) => ({
    kind: 'DERIVES' as const,
    from: entities[row]?.urn ?? urn,
    to: urn,
  }));
  return { entities, edges };
}
