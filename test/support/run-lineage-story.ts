import { datasetUrn, datasetVersionUrn, formatUrn, runUrn } from '#graph-schema';
import { Neo4jLineageStore } from '#graph-store';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import type { TestGraph } from './graph.js';
import { facet, minute, runEvent, taken } from './openlineage-events.js';

/** A small shop whose runs were told by OpenLineage: `load` writes `raw`, `sum` makes `report` of it, `mail` reads that. */
export interface RunLineageStory {
  readonly dataset: (name: string) => string;
  readonly job: (name: string) => string;
  readonly run: (name: string) => string;
  /** The version of a data set that a run has written. */
  readonly version: (dataset: string, run: string) => string;
}

/**
 * Writes the story: `load-1` writes a bad version of `raw`; `sum-1` makes `report` of it, `sum-x` reads it and fails, `mail-1` reads that
 * report; then `load-2` writes `raw` again, `sum-2` makes a new report. `load-1` is a part of `day`, a part of `week`; of the two
 * nothing else is known. Each run takes a minute, and begins in a minute of its own.
 */
export async function writeRunStory(graph: TestGraph, namespace: string): Promise<RunLineageStory> {
  const id = (name: string): string => `${namespace}-${name}`;
  const set = (name: string, facets: object = {}) => ({ namespace, name, ...facets });
  const parent = (name: string) => ({ run: { runId: id(name) }, job: { namespace, name } });
  const rows = { outputFacets: { outputStatistics: facet({ rowCount: 3 }) } };
  const quality = { inputFacets: { dataQualityMetrics: facet({ rowCount: 2, columnMetrics: {} }) } };
  const week = { parent: facet({ ...parent('day'), root: parent('week') }) };
  const told: readonly [job: string, run: string, members: object, end: string][] = [
    ['load', 'load-1', { outputs: [set('raw', rows)], run: { runId: id('load-1'), facets: week } }, 'COMPLETE'],
    ['sum', 'sum-1', { inputs: [set('raw', quality)], outputs: [set('report')] }, 'COMPLETE'],
    ['sum', 'sum-x', { inputs: [set('raw')], outputs: [set('report')] }, 'FAIL'],
    ['mail', 'mail-1', { inputs: [set('report')] }, 'COMPLETE'],
    ['load', 'load-2', { outputs: [set('raw')] }, 'COMPLETE'],
    ['sum', 'sum-2', { inputs: [set('raw')], outputs: [set('report')] }, 'COMPLETE'],
  ];
  const events = told.flatMap(([job, run, members, end], place) =>
    [
      ['START', 2 * place],
      [end, 2 * place + 1],
    ].map(([eventType, at]) =>
      runEvent({
        ...{ eventType, eventTime: minute(Number(at)), run: { runId: id(run) }, job: { namespace, name: job } },
        ...{ inputs: [], outputs: [], ...members },
      }),
    ),
  );
  const writer = new LineageEventWriter(new Neo4jLineageStore(graph.driver));
  await writer.write(events.map(taken), { inboxId: namespace, after: 0, upTo: events.length, fence: 1 });
  return {
    dataset: (name) => datasetUrn(namespace, name),
    job: (name) => formatUrn('job', [namespace, name]),
    run: (name) => runUrn(id(name)),
    version: (dataset, run) => datasetVersionUrn(namespace, dataset, `run-${id(run)}`),
  };
}
