import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineageLoad } from '../support/lineage-load.js';

let load: LineageLoad;

beforeAll(async () => {
  load = await LineageLoad.open();
});
afterAll(() => load?.[Symbol.asyncDispose]());

describe('events of OpenLineage', () => {
  it('are all in the graph, once, when the server is killed with -9 while it drains them', {
    timeout: 180_000,
  }, async () => {
    const { app, graph } = load;
    let restarted: Promise<unknown> | undefined;
    const refused = await load.post('kill', Array(120).keys(), (taken) => {
      if (taken === 100) restarted = app.kill('api').then(() => app.startProcess('api'));
    });
    await restarted;
    expect(refused).toEqual([]);
    await expect
      .poll(() => load.runsOf('kill'), { timeout: 60_000, interval: 250 })
      .toEqual([{ state: 'COMPLETE', runs: 120, versions: 120 }]);
    const produced = await graph.query(
      `MATCH (j:Job {namespace: 'kill'})-[p:PRODUCES]->() RETURN p.current AS current, p.validTo AS validTo,
         p.firstRuns AS first, p.lastRuns AS last ORDER BY j.name`,
    );
    expect(produced).toEqual(
      Array.from({ length: 5 }, (_, n) => ({
        current: true,
        validTo: [],
        first: [`nucleus:run:kill-${n}`],
        last: [`nucleus:run:kill-${115 + n}`],
      })),
    );
  });
});
