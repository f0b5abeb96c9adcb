import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '#errors';
import { datasetUrn, formatUrn } from '#graph-schema';
import { type LineageView, Neo4jLineageReader, warmUpLineage } from '#graph-store';
import { inBackground } from '../../server/background-task.js';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';

// A server of its own: the plans that it keeps are counted.
let graph: OwnGraph;
let reader: Neo4jLineageReader;
beforeAll(async () => {
  graph = await openOwnGraph();
  reader = new Neo4jLineageReader(graph.driver);
});
afterAll(() => graph[Symbol.asyncDispose]());

/** Forgets all plans. @returns how many there were */
async function forgetPlans(): Promise<number> {
  const [row] = await graph.query('CALL db.clearQueryCaches() YIELD value RETURN value');
  const text = String(row?.value);
  if (text.includes('already empty')) return 0;
  const [, count] = /cleared of (\d+) queries/.exec(text) ?? [];
  if (count === undefined) throw new Error(`Neo4j says something else now: ${text}`);
  return Number(count);
}

const dataset = datasetUrn('s3://lake', 'a data set that is not there');
const job = formatUrn('job', ['airflow', 'a job that is not there']);
const field = formatUrn('field', ['s3://lake', 'a data set that is not there', 'id']);

/** Walks that find no start, but only after Neo4j has a plan for all of them. */
async function walk(view: LineageView, depth: number | undefined): Promise<void> {
  for (const direction of ['UPSTREAM', 'DOWNSTREAM', 'BOTH'] as const) {
    const asked = { direction, view, depth };
    await expect(reader.walk({ ...asked, urn: dataset })).rejects.toThrow(InputError);
    await expect(reader.walk({ ...asked, urn: job, level: 'JOB' })).rejects.toThrow(InputError);
    await expect(reader.walk({ ...asked, urn: field, level: 'FIELD' })).rejects.toThrow(InputError);
  }
}

describe('the warm-up', () => {
  it('leaves nothing to plan for usual walks, and so something for others', async () => {
    await forgetPlans();
    const statements = await warmUpLineage(graph.driver, { signal: new AbortController().signal });
    for (const view of ['CURRENT', 'EVER', { at: '2020-02-02T02:02:02.000000002Z' }] as const) await walk(view, 3);
    await walk('CURRENT', undefined);
    expect(await forgetPlans()).toBe(statements);
    await walk('CURRENT', 4);
    expect(await forgetPlans()).toBe(9);
    // Planning is work for the processor, which other files want too.
  }, 180_000);

  it('ends in the middle when the server does', async () => {
    const failures: unknown[] = [];
    const { stop } = inBackground(
      async (signal) => void (await warmUpLineage(graph.driver, { signal })),
      (error) => failures.push(error),
    );
    await stop();
    expect(failures).toEqual([]);
    expect(await forgetPlans()).toBeLessThan(9);
  });
});
