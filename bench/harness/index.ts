/**
 * Benchmarks with both sides in one run. A benchmark is a file `bench/p<number>-<name>.ts` that exports `benchmark`;
 * `npm run bench -- p6` runs it: `setUp` once, then for each case a warm-up and at least five rounds in which our side and the
 * baseline take turns. Medians, spread and the facts of the machine go to bench/results/, a table with the targets to the
 * terminal. A missed target is a result, not an error; a side that throws is an error.
 *
 * - A side prepares what it needs, then measures with `time(count, work)` and returns what that gives.
 * - `round.number` is the same for both sides: make keys of it where every round must meet fresh data.
 * - Servers and connections opened in `setUp` go through `environment.use(…)`, or they outlive the benchmark.
 * - `quick` asks for sizes that end within seconds; such a run writes no results.
 *
 * @example
 * export const benchmark = defineBenchmark({
 *   id: 'P1',
 *   name: 'entity-upsert',
 *   what: 'Upsert of entities through the graph store, in comparison with a bare UNWIND … MERGE of the same rows.',
 *   setUp: async (environment) => {
 *     const driver = openDriver(await environment.startNeo4j());
 *     environment.use({ [Symbol.asyncDispose]: () => driver.close() });
 *     await migrateGraph(driver);
 *     return { driver, store: new Neo4jGraphStore(driver) };
 *   },
 *   cases: [
 *     {
 *       kind: 'ratio',
 *       name: 'fresh',
 *       unit: 'rows',
 *       target: { atLeast: 0.65 },
 *       sides: {
 *         ours: ({ env, number, quick, time }) => {
 *           const rows = makeRows(`ours-${number}`, quick ? 500 : 20_000);
 *           return time(rows.length, () => env.store.write({ entities: rows }, CONTEXT));
 *         },
 *         baseline: ({ env, number, quick, time }) => {
 *           const rows = makeRows(`bare-${number}`, quick ? 500 : 20_000);
 *           return time(rows.length, () => env.driver.executeQuery(BARE_MERGE, { rows }));
 *         },
 *       },
 *     },
 *     { kind: 'latency', name: 'one row', target: { percentile: 99, atMostMs: 20 }, measure: async ({ env }) => [12.5, 13.1] },
 *   ],
 * });
 */
export type { BenchEnvironment } from './bench-environment.js';
export {
  type AnyBenchmark,
  type BenchmarkCase,
  defineBenchmark,
  type RateCase,
  type RatioCase,
  type Round,
  slugOf,
} from './benchmark.js';
export { performanceReport } from './report-page.js';
export { readResults, writeResult } from './result-files.js';
export { resultRows, textTable } from './result-table.js';
export { runBenchmark } from './run-benchmark.js';
export { seededRandom } from './seeded-random.js';
export { percentile } from './statistics.js';
