import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BenchmarkCase, defineBenchmark, type Round, runBenchmark } from '../../bench/harness/index.js';
import { type CaseRun, runCase, sideOrders } from '../../bench/harness/run-case.js';
import { percentile, spreadOf } from '../../bench/harness/statistics.js';

/** Runs a case against a clock that only the sides move, by milliseconds. */
function run<Env>(benchmarkCase: BenchmarkCase<Env>, env: Env, options: Partial<CaseRun<Env>> = {}) {
  const run: CaseRun<Env> = {
    env,
    quick: false,
    signal: new AbortController().signal,
    rounds: 5,
    warmUps: 1,
    random: () => 0,
    clock: () => performance.now(),
    onRound: () => undefined,
    ...options,
  };
  return runCase(benchmarkCase, run);
}

describe('the statistics', () => {
  it('take the middle, the middle half and the ends', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, min: 1, max: 5, q1: 2, q3: 4 });
    expect(spreadOf([1, 2])).toMatchObject({ median: 1.5, q1: 1.25 });
    expect(percentile([10, 20, 30, 40], 99)).toBeCloseTo(39.7);
  });

  it('refuse to make a number of nothing', () => {
    expect(() => percentile([], 50)).toThrow(/nothing was measured/);
  });
});

describe('the order of the sides', () => {
  it('lets each begin once in every pair of rounds, whatever chance says', () => {
    for (const chance of [0, 0.9]) {
      const first = sideOrders(6, () => chance).map(([side]) => side);
      expect(new Set(first.slice(0, 2)).size).toBe(2);
      expect(new Set(first.slice(2, 4)).size).toBe(2);
      expect(first).toHaveLength(6);
    }
    expect(sideOrders(2, () => 0)).not.toEqual(sideOrders(2, () => 0.9));
  });
});

describe('a comparison', () => {
  it('measures what is timed alone, warm-ups left out, and takes the medians', async () => {
    let now = 0;
    const rounds: number[] = [];
    const side =
      (msOf: (number: number) => number) =>
      ({ number, time }: Round<null>) => {
        now += 1000; // preparation
        rounds.push(number);
        return time(100, async () => {
          now += msOf(number);
        });
      };
    const result = await run<null>(
      {
        kind: 'ratio',
        name: 'rows',
        unit: 'rows',
        target: { atLeast: 0.65 },
        // The warm-up takes forever; one round of ours is an outlier that the median passes over.
        sides: { ours: side((number) => (number < 0 ? 9999 : number === 3 ? 500 : 20)), baseline: side(() => 10) },
      },
      null,
      { clock: () => now },
    );
    expect(result).toMatchObject({
      kind: 'ratio',
      ratio: 0.5,
      met: false,
      ours: { perSecond: { median: 5000, min: 200 } },
      baseline: { rounds: [10_000, 10_000, 10_000, 10_000, 10_000] },
      roundRatios: { rounds: [0.5, 0.5, 0.5, 0.02, 0.5] },
    });
    expect(rounds.toSorted((a, b) => a - b)).toEqual([-1, -1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  });

  it('ends with the error of a side that fails', async () => {
    const broken = async () => Promise.reject(new Error('a deadlock surfaced'));
    const sides = { ours: broken, baseline: broken };
    await expect(run({ kind: 'ratio', name: 'x', unit: 'rows', target: { atLeast: 1 }, sides }, null)).rejects.toThrow(
      'a deadlock surfaced',
    );
  });
});

describe('a rate', () => {
  it('is the median over the rounds, warm-ups left out', async () => {
    let now = 0;
    const measure = ({ number, time }: Round<null>) =>
      time(100, async () => {
        now += number < 0 ? 9999 : 10 * (number + 1);
      });
    const target = { atLeastPerSecond: 3_400 };
    const result = await run<null>({ kind: 'rate', name: 'events', unit: 'events', target, measure }, null, {
      clock: () => now,
    });
    expect(result).toMatchObject({
      kind: 'rate',
      met: false,
      ours: { perSecond: { median: 100_000 / 30, min: 2_000 } },
    });
  });
});

describe('a latency', () => {
  it('is held against its percentile over all rounds', async () => {
    const result = await run(
      {
        kind: 'latency',
        name: 'p50',
        target: { percentile: 50, atMostMs: 5.5 },
        measure: async ({ number }) => (number < 0 ? [999] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      },
      null,
    );
    expect(result).toMatchObject({ samples: 50, valueMs: 5.5, met: true, percentilesMs: { max: 10 } });
  });
});

describe('a memory', () => {
  it('is held against its worst round', async () => {
    const measure = async ({ number }: { number: number }) => [100, 300, 200][number % 3] ?? 0;
    const target = { atMostMiB: 299 };
    const result = await run({ kind: 'memory', name: 'peak', target, measure }, null);
    expect(result).toMatchObject({ valueMiB: 300, met: false, rounds: expect.arrayContaining([100, 200]) });
  });
});

describe('a benchmark', () => {
  const opened: string[] = [];
  const benchmark = (act: () => Promise<unknown>) =>
    defineBenchmark({
      id: 'P0',
      name: 'of-a-test',
      what: 'Nothing.',
      setUp: async (environment) => {
        opened.push(environment.folder);
        environment.use({ [Symbol.asyncDispose]: async () => void opened.push('closed') });
        return null;
      },
      cases: [
        {
          kind: 'latency',
          name: 'one',
          target: { percentile: 50, atMostMs: 5 },
          measure: async () => [Number(await act())],
        },
      ],
    });
  const options = (signal: AbortSignal) => ({ rounds: 1, quick: true, signal, onRound: () => undefined });

  it('tells what was measured where, and ends what it has opened', async () => {
    const result = await runBenchmark(
      benchmark(async () => 3),
      options(new AbortController().signal),
    );
    expect(result).toMatchObject({
      id: 'P0',
      rounds: 1,
      cases: [{ name: 'one', valueMs: 3, met: true }],
      machine: { node: process.version, cores: expect.any(Number) },
    });
    expect(opened.at(-1)).toBe('closed');
    expect(existsSync(String(opened.at(-2)))).toBe(false);
  });

  it('ends what it has opened when it is interrupted while a side hangs', async () => {
    const interrupt = new AbortController();
    const hangs = () => {
      interrupt.abort(new Error('ended by SIGINT'));
      return new Promise(() => undefined);
    };
    await expect(runBenchmark(benchmark(hangs), options(interrupt.signal))).rejects.toThrow('ended by SIGINT');
    expect(opened.at(-1)).toBe('closed');
    expect(existsSync(String(opened.at(-2)))).toBe(false);
  });
});
