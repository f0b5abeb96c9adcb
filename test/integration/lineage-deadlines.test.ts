import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundedRead } from '../../graph-store/lineage-session.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('deadline');

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

/** A statement that runs for minutes. */
const endless = (mark: string) =>
  `UNWIND range(1, 10000000000) AS x WITH x WHERE x % 7 = 8 RETURN count(x) AS count // ${mark}`;

async function isRunning(mark: string): Promise<boolean> {
  const rows = await graph.query('SHOW TRANSACTIONS YIELD currentQuery, status');
  return rows.some(({ currentQuery, status }) => String(currentQuery).endsWith(mark) && status === 'Running');
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

describe('a bounded read', () => {
  it('that is given up ends in Neo4j too', async () => {
    const mark = `${PREFIX}-given-up`;
    const controller = new AbortController();
    const bounds = { deadlineMs: 120_000, signal: controller.signal };
    const read = boundedRead(graph.driver, bounds, ({ run }) => run(endless(mark), {}));
    const outcome = read.catch((error: unknown) => error);
    await until(() => isRunning(mark));
    const reason = new Error('the caller left');
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    await until(async () => !(await isRunning(mark)));
  });

  it('that takes too long ends in Neo4j too', async () => {
    const mark = `${PREFIX}-late`;
    const read = boundedRead(graph.driver, { deadlineMs: 500, signal: undefined }, ({ run }) => run(endless(mark), {}));
    await expect(read).rejects.toMatchObject({ code: 'TIMEOUT', details: { limit: 'deadlineMs', value: 500 } });
    await until(async () => !(await isRunning(mark)));
  });

  it('that was given up before it began does not begin', async () => {
    const work = boundedRead(graph.driver, { deadlineMs: 1_000, signal: AbortSignal.abort('left') }, () => {
      throw new Error('began');
    });
    await expect(work).rejects.toBe('left');
  });
});
