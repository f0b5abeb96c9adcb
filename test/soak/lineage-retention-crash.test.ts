import { afterAll, beforeAll, expect, it } from 'vitest';
import { LineageLoad } from '../support/lineage-load.js';
import { shownLineage } from '../support/shown-lineage.js';

const RUNS = 250;

let load: LineageLoad;
beforeAll(async () => {
  load = await LineageLoad.open({ LINEAGE_RETENTION_DAYS: '1', LINEAGE_RETENTION_RUNS: '2' });
});
afterAll(() => load?.[Symbol.asyncDispose]());

const count = async (label: 'Run' | 'DatasetVersion') =>
  (await load.graph.query(`MATCH (n:${label}) RETURN count(n) AS count`))[0]?.count;

const lineage = async () =>
  (await shownLineage(load.graph)).edges.filter(({ kind }) => kind === 'FEEDS' || kind === 'PRODUCES');

it('a server that starts removes what is past its retention, also when it is killed with -9 in the middle of it', {
  timeout: 180_000,
}, async () => {
  const { app } = load;
  const until = (what: () => Promise<unknown>, reached: (count: unknown) => boolean) =>
    expect.poll(async () => reached(await what()), { timeout: 60_000, interval: 10 }).toBe(true);
  expect(await load.post('old', Array(RUNS).keys())).toEqual([]);
  await until(
    () => load.runsOf('old'),
    (rows) => JSON.stringify(rows) === JSON.stringify([{ state: 'COMPLETE', runs: RUNS, versions: RUNS }]),
  );
  const before = await lineage();
  await app.kill('api');
  await app.startProcess('api');
  await until(
    () => count('Run'),
    (runs) => (runs as number) < RUNS,
  );
  await app.kill('api');
  await app.startProcess('api');
  // Two of each of the five jobs.
  await until(
    () => count('DatasetVersion'),
    (versions) => versions === 10,
  );
  expect(await count('Run')).toBe(10);
  expect(await load.runsOf('old')).toEqual([{ state: 'COMPLETE', runs: 10, versions: 10 }]);
  expect(await lineage()).toEqual(before);
});
