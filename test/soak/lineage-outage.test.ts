import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineageLoad } from '../support/lineage-load.js';

const OUTAGE_MS = 30_000;
/** More than eight connections send in that time would only make the catching up longer. */
const MAX_RUNS = 5_000;

let load: LineageLoad;

beforeAll(async () => {
  load = await LineageLoad.open();
});
afterAll(() => load?.[Symbol.asyncDispose]());

/** Runs as long as the time lasts. */
function* runsFor(durationMs: number, onRun: () => void): Generator<number> {
  const until = Date.now() + durationMs;
  for (let run = 0; run < MAX_RUNS && Date.now() < until; run += 1) {
    onRun();
    yield run;
  }
}

describe('events that come while Neo4j is down for 30 seconds', () => {
  it('are all taken, and all in the graph afterwards', async () => {
    let runs = 0;
    let refused: number[] = [];
    await load.graph.server.outage(async () => {
      const down = new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      refused = await load.post(
        'outage',
        runsFor(OUTAGE_MS, () => (runs += 1)),
      );
      await down;
    });
    expect(refused).toEqual([]);
    expect(runs).toBeGreaterThan(100);
    await expect
      .poll(() => load.runsOf('outage'), { timeout: 600_000, interval: 1_000 })
      .toEqual([{ state: 'COMPLETE', runs, versions: runs }]);
  });
});
