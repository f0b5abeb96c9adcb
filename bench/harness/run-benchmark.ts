import { randomInt } from 'node:crypto';
import { openBenchEnvironment } from './bench-environment.js';
import type { AnyBenchmark } from './benchmark.js';
import type { BenchmarkResult, CaseResult } from './benchmark-result.js';
import { machineFacts, measuredCommit } from './machine-facts.js';
import { runCase } from './run-case.js';
import { seededRandom } from './seeded-random.js';

export interface RunOptions {
  readonly rounds: number;
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly onRound: (text: string) => void;
}

const WARM_UPS = 1;

/** Runs one benchmark on servers of its own and ends those, whatever happens. */
export async function runBenchmark(benchmark: AnyBenchmark, options: RunOptions): Promise<BenchmarkResult> {
  const seed = randomInt(2 ** 32);
  const random = seededRandom(seed);
  const environment = await openBenchEnvironment(options);
  try {
    const cases = await untilAborted(options.signal, async () => {
      const env = await benchmark.setUp(environment);
      const results: CaseResult[] = [];
      for (const benchmarkCase of benchmark.cases) {
        const run = { ...options, env, warmUps: WARM_UPS, random, clock: () => performance.now() };
        results.push(await runCase(benchmarkCase, run));
      }
      return results;
    });
    const { id, name, what } = benchmark;
    return {
      ...{ id, name, what, seed, rounds: options.rounds, cases },
      date: new Date().toISOString(),
      commit: measuredCommit(),
      machine: machineFacts(environment.serverVersions),
    };
  } finally {
    await environment[Symbol.asyncDispose]();
  }
}

/** Gives up at once when aborted: what the benchmark is waiting for may never come, and its servers have to end. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let giveUp: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal.reason);
  });
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
