import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { bounded } from '../../client/call-options.js';
import { NucleusError } from '../../client/nucleus-error.js';
import { backoffMs, DEFAULT_RETRY, pause, withRetries } from '../../client/retry-policy.js';

const QUICK = { attempts: 4, baseMs: 1, maxMs: 2 };
const passing = () => new NucleusError('STORE_UNAVAILABLE', 'down');

it('waits anywhere between nothing and a bound that doubles up to the maximum', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (n, random) => {
        const waited = backoffMs(DEFAULT_RETRY, n, random);
        expect(waited).toBeGreaterThanOrEqual(0);
        expect(waited).toBeLessThanOrEqual(DEFAULT_RETRY.maxMs);
      },
    ),
  );
  const bounds = [1, 2, 3, 4, 20].map((failures) => backoffMs({ attempts: 9, baseMs: 100, maxMs: 750 }, failures, 1));
  expect(bounds).toEqual([100, 200, 400, 750, 750]);
});

it('repeats what may pass until it does', async () => {
  let calls = 0;
  const result = await withRetries(QUICK, new AbortController().signal, async () => {
    calls += 1;
    if (calls < 3) throw passing();
    return 'done';
  });
  expect([result, calls]).toEqual(['done', 3]);
});

it('gives up after as many attempts as the policy says, with the last failure', async () => {
  let calls = 0;
  const failing = withRetries(QUICK, new AbortController().signal, async () => {
    calls += 1;
    throw new NucleusError('STORE_UNAVAILABLE', `down ${calls}`);
  });
  await expect(failing).rejects.toMatchObject({ message: 'down 4' });
  expect(calls).toBe(4);
});

it.each([new NucleusError('CONFLICT', 'stale'), new Error('a bug')])('does not repeat %s', async (error) => {
  let calls = 0;
  const failing = withRetries(QUICK, new AbortController().signal, async () => {
    calls += 1;
    throw error;
  });
  await expect(failing).rejects.toBe(error);
  expect(calls).toBe(1);
});

it('waits as long as the server has asked for', async () => {
  const began = performance.now();
  let calls = 0;
  await withRetries(QUICK, new AbortController().signal, async () => {
    calls += 1;
    if (calls === 1) throw new NucleusError('RATE_LIMITED', 'slow down', { details: { retryAfterMs: 120 } });
  });
  // A timer may fire a little early by the clock that measures it.
  expect(performance.now() - began).toBeGreaterThan(115);
});

it('stops waiting when it is aborted, and tells what had gone wrong', async () => {
  const abort = new AbortController();
  const failing = withRetries({ attempts: 9, baseMs: 1e9, maxMs: 1e9 }, abort.signal, async () => {
    queueMicrotask(() => abort.abort(new Error('enough')));
    throw passing();
  });
  await expect(failing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect(pause(1e9, abort.signal)).rejects.toThrow('enough');
});

it.each([2 ** 31, 1e12, Number.POSITIVE_INFINITY])(
  'neither a wait nor a deadline of %d ms is over at once',
  async (ms) => {
    vi.useFakeTimers();
    try {
      const abort = new AbortController();
      const settled: string[] = [];
      const waiting = pause(ms, abort.signal).finally(() => settled.push('wait'));
      const call = bounded({ deadlineMs: ms }, 1, (signal) => pause(2 ** 30, signal)).finally(() =>
        settled.push('call'),
      );
      await vi.advanceTimersByTimeAsync(2 ** 30 - 1);
      expect(settled).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      await call;
      abort.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    } finally {
      vi.useRealTimers();
    }
  },
);
