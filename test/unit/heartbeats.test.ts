import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { heartbeats } from '../../ingestion/activities/heartbeats.js';
import { gate } from '../support/gate.js';

type Context = Parameters<typeof heartbeats>[0];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs an activity to its end. */
async function run(heartbeatTimeoutMs: number | undefined, heartbeat: () => void, activity: () => Promise<unknown>) {
  const context = { info: { heartbeatTimeoutMs }, heartbeat } as unknown as Context;
  return heartbeats(context).inbound?.execute?.({ args: [], headers: {} }, activity);
}

describe('the heartbeats of an activity', () => {
  it('go on for as long as it waits, and end with it', async () => {
    const beat = vi.fn();
    const end = gate();
    const ended = run(20_000, beat, async () => {
      await end.passed;
      throw new Error('the end');
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beat).toHaveBeenCalledTimes(12);
    end.open();
    await expect(ended).rejects.toThrow('the end');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are none where nobody waits for them', async () => {
    const timers = async () => vi.getTimerCount();
    expect(await run(undefined, () => undefined, timers)).toBe(0);
  });
});
