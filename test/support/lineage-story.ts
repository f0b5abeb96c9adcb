import { datasetUrn, formatUrn } from '#graph-schema';
import type { TestGraph } from './graph.js';
import { INSTANTS, writeLineage } from './lineage-graphs.js';
import type { ModelEdge, ModelNode } from './lineage-model.js';

/** When the edges of the story begin and end. */
export const STORY_TIMES = {
  begin: INSTANTS[0],
  legacy: INSTANTS[1],
  mail: INSTANTS[2],
  legacyEnd: INSTANTS[4],
} as const;

/** A small shop: `raw → load → orders → sum → report`, and what was beside it for a while or came later. */
export interface LineageStory {
  readonly dataset: (name: string) => string;
  readonly job: (name: string) => string;
  readonly field: (dataset: string) => string;
}

/**
 * Writes the story: `orders → legacy → old` from `legacy` to `legacyEnd`, `report → mail → inbox` from `mail` on, a nanosecond
 * later; the column `id` goes from raw to report. `inbox` is a placeholder, and in a namespace of its own.
 */
export async function writeStory(graph: TestGraph, namespace: string): Promise<LineageStory> {
  const dataset = (name: string): string => datasetUrn(name === 'inbox' ? `${namespace}-mail` : namespace, name);
  const job = (name: string): string => formatUrn('job', [namespace, name]);
  const field = (of: string): string => formatUrn('field', [namespace, of, 'id']);
  const node = (urn: string, label: ModelNode['label']): ModelNode => ({ urn, label, deletedAt: null });
  const edge = (kind: ModelEdge['kind'], from: string, to: string, begin: string, end: string | null = null) => ({
    ...{ kind, from, to, via: null, createdAt: begin, deletedAt: null },
    intervals: kind === 'HAS_FIELD' ? null : [{ from: begin, to: end }],
  });
  const step = (from: string, by: string, to: string, begin: string, end: string | null = null): ModelEdge[] => [
    edge('FEEDS', dataset(from), job(by), begin, end),
    edge('PRODUCES', job(by), dataset(to), begin, end),
  ];
  const { begin, legacy, mail, legacyEnd } = STORY_TIMES;
  const withColumn = ['raw', 'orders', 'report'];
  await writeLineage(graph, {
    nodes: [
      ...[...withColumn, 'old'].map((name) => node(dataset(name), 'Dataset')),
      ...['load', 'sum', 'legacy', 'mail'].map((name) => node(job(name), 'Job')),
      ...withColumn.map((name) => node(field(name), 'Field')),
      node(dataset('inbox'), null),
    ],
    edges: [
      ...step('raw', 'load', 'orders', begin),
      ...step('orders', 'sum', 'report', begin),
      ...step('orders', 'legacy', 'old', legacy, legacyEnd),
      ...step('report', 'mail', 'inbox', mail),
      { ...edge('DERIVES', field('raw'), field('orders'), begin), via: job('load') },
      { ...edge('DERIVES', field('orders'), field('report'), begin), via: job('sum') },
      ...withColumn.map((name) => edge('HAS_FIELD', dataset(name), field(name), begin)),
    ],
  });
  return { dataset, job, field };
}
