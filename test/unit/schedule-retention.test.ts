import { expect, it, vi } from 'vitest';

import { LineageEventWriter, LineageRetention } from '../../ingestion/lineage-projection/index.js';
import { scheduleRetention } from '../../server/lineage/schedule-retention.js';
import { capturedLog } from '../support/captured-log.js';
import { MemoryLineage } from '../support/memory-lineage.js';
import { minute, runEvent, taken } from '../support/openlineage-events.js';

const DAY_MS = 86_400_000;

async function storeOf(runs: number): Promise<MemoryLineage> {
  const store = new MemoryLineage();
  const events = Array.from({ length: runs }, (_, n) =>
    taken(runEvent({ eventTime: minute(n), run: { runId: `r${n}` }, outputs: [] })),
  );
  await new LineageEventWriter(store).write(events, { inboxId: 'test', after: 0, upTo: runs, fence: 1 });
  return store;
}

const runsIn = (store: MemoryLineage) => Object.values(store.shown().nodes).filter(({ kind }) => kind === 'Run').length;

/** Two days and a half after the minute 0: the policy of two days so means the first 720 minutes. */
const now = () => new Date(Date.parse(minute(0)) + 2.5 * DAY_MS);

it('a policy is applied by the process that drains, which tells the counts in its log', async () => {
  const store = await storeOf(250);
  const { logger, lines } = capturedLog();
  const policy = { days: 2, keepRunsPerJob: 3 };
  const retention = new LineageRetention(store);
  const schedule = scheduleRetention(policy, { retention, isDraining: () => true, now, logger });
  await vi.waitUntil(() => lines.length > 0);
  await schedule.stop();
  expect(runsIn(store)).toBe(3);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    ...{ runs: 247, versions: 0, isComplete: true, msg: 'runs and versions past their retention were removed' },
  });
});

it('the log tells how far a long pass is', async () => {
  const { logger, lines } = capturedLog();
  const apply: LineageRetention['apply'] = async (_, { onStep }) => {
    for (let runs = 100; runs <= 25_000; runs += 100) onStep?.({ runs, versions: 0 });
    return { runs: 25_000, versions: 0, isComplete: true, sequence: null };
  };
  const policy = { days: 2, keepRunsPerJob: 0 };
  const schedule = scheduleRetention(policy, { retention: { apply }, isDraining: () => true, now, logger });
  await schedule.stop();
  const told = 'runs and versions past their retention are being removed';
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { runs: 10_000, versions: 0, msg: told },
    { runs: 20_000, versions: 0, msg: told },
    { runs: 25_000, isComplete: true },
  ]);
});

it.each([
  ['keeps all', { days: 0, keepRunsPerJob: 0 }, true],
  ['is applied by another process', { days: 2, keepRunsPerJob: 0 }, false],
  ['means no run that is there', { days: 3, keepRunsPerJob: 0 }, true],
])('nothing happens where the policy %s', async (_, policy, isDraining) => {
  const store = await storeOf(5);
  const { logger, lines } = capturedLog();
  const retention = new LineageRetention(store);
  const schedule = scheduleRetention(policy, { retention, isDraining: () => isDraining, now, logger });
  // The first check runs at once, and is waited for.
  await schedule.stop();
  expect(runsIn(store)).toBe(5);
  expect(lines).toEqual([]);
});

it('a pass ends with the lease, and says that it is not complete', async () => {
  const store = await storeOf(250);
  const { logger, lines } = capturedLog();
  let looks = 0;
  const isDraining = () => looks++ === 0;
  const retention = new LineageRetention(store);
  const schedule = scheduleRetention({ days: 2, keepRunsPerJob: 0 }, { retention, isDraining, now, logger });
  await vi.waitUntil(() => lines.length > 0);
  await schedule.stop();
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ runs: 100, isComplete: false });
});
