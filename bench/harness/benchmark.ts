import type { BenchEnvironment } from './bench-environment.js';

/** What one timed piece of work has done. */
export interface Sample {
  /** Units done, for instance rows. */
  readonly count: number;
  readonly durationMs: number;
}

/** What a side is given for one round. */
export interface Round<Env> {
  readonly env: Env;
  /** 0, 1, 2 …; both sides of one round see the same number. Warm-up rounds count down from -1. */
  readonly number: number;
  /** Sizes should shrink so that the benchmark ends in seconds: somebody tries whether it runs. */
  readonly quick: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Times one piece of work. What a side does before or after it is not measured. */
  time(count: number, work: () => Promise<unknown>): Promise<Sample>;
}

/** One side of a comparison: prepares, then returns the one sample of `time`. A throw ends the benchmark as failed. */
export type Side<Env> = (round: Round<Env>) => Promise<Sample>;

/** Ours against a baseline: the median of ours per second ÷ baseline per second, over the rounds. */
export interface RatioCase<Env> {
  readonly kind: 'ratio';
  readonly name: string;
  /** Plural noun of what is counted, for instance `rows`. */
  readonly unit: string;
  readonly target: { readonly atLeast: number };
  readonly sides: {
    readonly ours: Side<Env>;
    readonly baseline: Side<Env>;
  };
}

/** How much is done in a second, where no baseline runs on the same machine: the median over the rounds. */
export interface RateCase<Env> {
  readonly kind: 'rate';
  readonly name: string;
  /** Plural noun of what is counted, for instance `events`. */
  readonly unit: string;
  readonly target: { readonly atLeastPerSecond: number };
  readonly measure: Side<Env>;
}

/** How long single events take, in milliseconds; all rounds together make the percentiles. */
export interface LatencyCase<Env> {
  readonly kind: 'latency';
  readonly name: string;
  readonly target: { readonly percentile: number; readonly atMostMs: number };
  readonly measure: (round: Omit<Round<Env>, 'time'>) => Promise<readonly number[]>;
}

/** The most memory that a process held, in MiB; the worst round counts. */
export interface MemoryCase<Env> {
  readonly kind: 'memory';
  readonly name: string;
  readonly target: { readonly atMostMiB: number };
  readonly measure: (round: Omit<Round<Env>, 'time'>) => Promise<number>;
}

export type BenchmarkCase<Env> = RatioCase<Env> | RateCase<Env> | LatencyCase<Env> | MemoryCase<Env>;

export interface Benchmark<Env> {
  /** Number in the list of performance targets, for instance `P1`. */
  readonly id: string;
  /** Lower-case words joined by `-`; with the id it names the result file. */
  readonly name: string;
  /** One sentence: what is compared with what. */
  readonly what: string;
  /** Runs once before all cases; what it opens is handed to `environment.use`, which closes it again. */
  readonly setUp: (environment: BenchEnvironment) => Promise<Env>;
  readonly cases: readonly [BenchmarkCase<Env>, ...BenchmarkCase<Env>[]];
}

/** A benchmark of which nobody outside needs to know what it sets up. */
export type AnyBenchmark = Benchmark<unknown>;

/** Ties the type of what is set up to that which the cases are given. */
export function defineBenchmark<Env>(benchmark: Benchmark<Env>): AnyBenchmark {
  // Env goes in only from `setUp` and out only to the cases of the same benchmark.
  return benchmark as unknown as AnyBenchmark;
}

/** `p1-entity-upsert`: the name of its file in bench/ and of its results. */
export function slugOf({ id, name }: Pick<AnyBenchmark, 'id' | 'name'>): string {
  return `${id.toLowerCase()}-${name}`;
}
