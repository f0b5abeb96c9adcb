import { z } from 'zod';

const spread = z.strictObject({
  median: z.number(),
  min: z.number(),
  max: z.number(),
  q1: z.number(),
  q3: z.number(),
});

/** What was measured for one side: units per second in each round, in the order of the rounds. */
const side = z.strictObject({ perSecond: spread, rounds: z.array(z.number()) });

const ratioResult = z.strictObject({
  kind: z.literal('ratio'),
  name: z.string(),
  unit: z.string(),
  target: z.strictObject({ atLeast: z.number() }),
  /** Median of ours ÷ median of the baseline. */
  ratio: z.number(),
  met: z.boolean(),
  /** Ours ÷ baseline within each round: how steady the ratio is. */
  roundRatios: z.strictObject({ spread, rounds: z.array(z.number()) }),
  ours: side,
  baseline: side,
});

const rateResult = z.strictObject({
  kind: z.literal('rate'),
  name: z.string(),
  unit: z.string(),
  target: z.strictObject({ atLeastPerSecond: z.number() }),
  met: z.boolean(),
  ours: side,
});

const latencyResult = z.strictObject({
  kind: z.literal('latency'),
  name: z.string(),
  target: z.strictObject({ percentile: z.number(), atMostMs: z.number() }),
  /** Milliseconds at the percentile of the target, over all rounds together. */
  valueMs: z.number(),
  met: z.boolean(),
  samples: z.number(),
  percentilesMs: z.strictObject({
    p50: z.number(),
    p90: z.number(),
    p95: z.number(),
    p99: z.number(),
    p999: z.number(),
    max: z.number(),
  }),
  /** The percentile of the target within each round. */
  rounds: z.array(z.number()),
});

const memoryResult = z.strictObject({
  kind: z.literal('memory'),
  name: z.string(),
  target: z.strictObject({ atMostMiB: z.number() }),
  /** Of the worst round. */
  valueMiB: z.number(),
  met: z.boolean(),
  rounds: z.array(z.number()),
});

/** Shape of the files in bench/results/. */
export const benchmarkResultSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  what: z.string(),
  date: z.iso.datetime(),
  /** Commit of the checkout; null when it held changes that were not committed. */
  commit: z.string().nullable(),
  rounds: z.number(),
  /** Seed of the order of the sides. */
  seed: z.number(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.number(),
    memoryGiB: z.number(),
    kernel: z.string(),
    node: z.string(),
    servers: z.record(z.string(), z.string()),
  }),
  cases: z.array(z.discriminatedUnion('kind', [ratioResult, rateResult, latencyResult, memoryResult])),
});

export type BenchmarkResult = z.infer<typeof benchmarkResultSchema>;
export type RatioResult = z.infer<typeof ratioResult>;
export type RateResult = z.infer<typeof rateResult>;
export type LatencyResult = z.infer<typeof latencyResult>;
export type MemoryResult = z.infer<typeof memoryResult>;
export type CaseResult = RatioResult | RateResult | LatencyResult | MemoryResult;
