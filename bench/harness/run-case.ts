import type { BenchmarkCase, LatencyCase, MemoryCase, RateCase, RatioCase, Round, Sample, Side } from './benchmark.js';
import type { CaseResult, LatencyResult, MemoryResult, RateResult, RatioResult } from './benchmark-result.js';
import { percentile, spreadOf } from './statistics.js';

export interface CaseRun<Env> {
  readonly env: Env;
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly rounds: number;
  readonly warmUps: number;
  /** In [0, 1), decides which side of a round comes first. */
  readonly random: () => number;
  /** Milliseconds, monotone. */
  readonly clock: () => number;
  readonly onRound: (text: string) => void;
}

const SIDES = ['ours', 'baseline'] as const;

/** Runs all rounds of one case and sums them up. */
export function runCase<Env>(benchmarkCase: BenchmarkCase<Env>, run: CaseRun<Env>): Promise<CaseResult> {
  switch (benchmarkCase.kind) {
    case 'ratio':
      return runRatio(benchmarkCase, run);
    case 'rate':
      return runRate(benchmarkCase, run);
    case 'latency':
      return runLatency(benchmarkCase, run);
    case 'memory':
      return runMemory(benchmarkCase, run);
  }
}

/** Warm-up rounds first, which do the same and are not looked at: they fill caches and let the code be compiled. */
function roundNumbers({ rounds, warmUps }: { rounds: number; warmUps: number }): number[] {
  return Array.from({ length: warmUps + rounds }, (_, index) => (index < warmUps ? -1 - index : index - warmUps));
}

/**
 * Which side begins, pair of rounds by pair of rounds: within a pair each begins once (ABBA or BAAB), so that what drifts slowly
 * hits both alike, and chance decides which of the two orders it is, so that nothing periodic favours one side.
 */
export function sideOrders(rounds: number, random: () => number): (readonly (typeof SIDES)[number][])[] {
  const [ours, baseline] = SIDES;
  return Array.from({ length: Math.ceil(rounds / 2) }, () => {
    const pair = [
      [ours, baseline],
      [baseline, ours],
    ] as const;
    return random() < 0.5 ? pair : pair.toReversed();
  })
    .flat()
    .slice(0, rounds);
}

async function runRatio<Env>(ratioCase: RatioCase<Env>, run: CaseRun<Env>): Promise<RatioResult> {
  const perSecond = { ours: [] as number[], baseline: [] as number[] };
  const numbers = roundNumbers(run);
  const orders = sideOrders(numbers.length, run.random);
  for (const [index, number] of numbers.entries()) {
    const found: Record<string, number> = {};
    for (const side of orders[index] ?? SIDES) {
      run.signal.throwIfAborted();
      found[side] = rate(await runSide(ratioCase.sides[side], number, run), `${ratioCase.name}, ${side}`);
    }
    const { ours = 0, baseline = 0 } = found;
    run.onRound(
      `${ratioCase.name}: round ${number}, ours ${ours.toFixed(0)}, baseline ${baseline.toFixed(0)} ${ratioCase.unit}/s`,
    );
    if (number < 0) continue;
    perSecond.ours.push(ours);
    perSecond.baseline.push(baseline);
  }
  const ours = { perSecond: spreadOf(perSecond.ours), rounds: perSecond.ours };
  const baseline = { perSecond: spreadOf(perSecond.baseline), rounds: perSecond.baseline };
  const ratio = ours.perSecond.median / baseline.perSecond.median;
  const ratios = perSecond.ours.map((value, round) => value / (perSecond.baseline[round] ?? Number.NaN));
  const { name, unit, target } = ratioCase;
  return {
    kind: 'ratio',
    ...{ name, unit, target, ratio, met: ratio >= target.atLeast },
    roundRatios: { spread: spreadOf(ratios), rounds: ratios },
    ...{ ours, baseline },
  };
}

async function runRate<Env>(rateCase: RateCase<Env>, run: CaseRun<Env>): Promise<RateResult> {
  const { name, unit, target } = rateCase;
  const rounds: number[] = [];
  for (const number of roundNumbers(run)) {
    run.signal.throwIfAborted();
    const perSecond = rate(await runSide(rateCase.measure, number, run), name);
    run.onRound(`${name}: round ${number}, ${perSecond.toFixed(0)} ${unit}/s`);
    if (number >= 0) rounds.push(perSecond);
  }
  const ours = { perSecond: spreadOf(rounds), rounds };
  return { kind: 'rate', name, unit, target, met: ours.perSecond.median >= target.atLeastPerSecond, ours };
}

function runSide<Env>(side: Side<Env>, number: number, run: CaseRun<Env>): Promise<Sample> {
  const { env, quick, signal, clock } = run;
  const time: Round<Env>['time'] = async (count, work) => {
    const startedAt = clock();
    await work();
    return { count, durationMs: clock() - startedAt };
  };
  return side({ env, number, quick, signal, time });
}

function rate({ count, durationMs }: Sample, what: string): number {
  if (count > 0 && durationMs > 0) return (count * 1000) / durationMs;
  throw new RangeError(`${what}: ${count} units in ${durationMs} ms give no rate; let the side do more work`);
}

async function runLatency<Env>(latencyCase: LatencyCase<Env>, run: CaseRun<Env>): Promise<LatencyResult> {
  const { name, target } = latencyCase;
  const rounds: number[] = [];
  const all: number[] = [];
  for (const number of roundNumbers(run)) {
    run.signal.throwIfAborted();
    const values = await latencyCase.measure({ env: run.env, number, quick: run.quick, signal: run.signal });
    const value = percentile(values, target.percentile);
    run.onRound(`${name}: round ${number}, p${target.percentile} ${value.toFixed(2)} ms of ${values.length}`);
    if (number < 0) continue;
    rounds.push(value);
    for (const latency of values) all.push(latency);
  }
  const at = (percent: number) => percentile(all, percent);
  const valueMs = at(target.percentile);
  return {
    kind: 'latency',
    ...{ name, target, valueMs, met: valueMs <= target.atMostMs, samples: all.length },
    percentilesMs: { p50: at(50), p90: at(90), p95: at(95), p99: at(99), p999: at(99.9), max: at(100) },
    rounds,
  };
}

async function runMemory<Env>(memoryCase: MemoryCase<Env>, run: CaseRun<Env>): Promise<MemoryResult> {
  const { name, target } = memoryCase;
  const rounds: number[] = [];
  for (let number = 0; number < run.rounds; number += 1) {
    run.signal.throwIfAborted();
    const value = await memoryCase.measure({ env: run.env, number, quick: run.quick, signal: run.signal });
    run.onRound(`${name}: round ${number}, ${value.toFixed(0)} MiB`);
    rounds.push(value);
  }
  const valueMiB = Math.max(...rounds);
  return { kind: 'memory', name, target, valueMiB, met: valueMiB <= target.atMostMiB, rounds };
}
