import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '#stack';
import { type BenchEnvironment, defineBenchmark, type RatioCase, type Round } from './harness/index.js';
import { SPARK_JARS, startPythonSample } from './python-sample.js';

/** A copy by the whole pipeline, read by Arrow or by Spark, or by a single tool. */
type Copier = 'arrow' | 'spark' | 'adbc' | 'connectorx' | 'spark-jdbc';

interface Databases {
  readonly folder: string;
  url(rows: number): Promise<string>;
}

interface Copied {
  readonly rows: number;
  readonly peakMiB: number;
}

/** Scale factor 1 of TPC-H has 6,001,215 rows of lineitem. */
const SIZES = { million: 1_000_000, six: 6_001_215, quick: 20_000 } as const;

async function copy(copier: Copier, rows: number, { env, signal }: Pick<Round<Databases>, 'env' | 'signal'>) {
  const url = await env.url(rows);
  const folder = join(env.folder, copier);
  mkdirSync(folder, { recursive: true });
  const sample = await startPythonSample<Copied>('copy_table', [copier, url, String(rows), folder, SPARK_JARS], signal);
  return {
    go: () => sample.go(),
    [Symbol.asyncDispose]: async () => {
      await sample[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function timed(copier: Copier, rows: number) {
  return async (round: Round<Databases>) => {
    const count = round.quick ? SIZES.quick : rows;
    await using copying = await copy(copier, count, round);
    return round.time(count, () => copying.go());
  };
}

function against(baseline: Copier, rows: number, ours: Copier = 'arrow'): RatioCase<Databases> {
  const size = rows === SIZES.six ? '6M rows' : '1M rows';
  return {
    kind: 'ratio',
    name: `${size}${ours === 'spark' ? ' by Spark' : ''}, ÷ ${baseline}`,
    unit: 'rows',
    target: { atLeast: rows === SIZES.six ? 1 : 0.9 },
    sides: { ours: timed(ours, rows), baseline: timed(baseline, rows) },
  };
}

/** The databases are filled when they are first needed: that of six million rows takes minutes. */
async function openDatabases(environment: BenchEnvironment): Promise<Databases> {
  const password = 'benchmark';
  const postgres = environment.use(await startPostgres({ ...environment.place('postgres'), password }));
  const urls = new Map<number, Promise<string>>();
  const fill = async (rows: number) => {
    const name = `lineitem_${rows}`;
    const url = postgres.url(name);
    const args = [postgres.url(), name, String(rows), environment.folder];
    await using loading = await startPythonSample('lineitem', args, environment.signal);
    await loading.go();
    return url;
  };
  return {
    folder: environment.folder,
    url: (rows) => {
      const filling = urls.get(rows) ?? fill(rows);
      urls.set(rows, filling);
      return filling;
    },
  };
}

export const benchmark = defineBenchmark<Databases>({
  id: 'P9',
  name: 'table-copy',
  what: 'Copy of the TPC-H table lineitem from Postgres to Parquet files through the whole pipeline, with checksummed staging and a recorded commit, in comparison with single tools that write the same columns with the same compression. Each sample is a process of its own that has imported everything. connectorx streams Arrow batches, adbc is the driver that the pipeline reads with, spark-jdbc reads over four connections.',
  setUp: openDatabases,
  cases: [
    against('adbc', SIZES.million),
    against('connectorx', SIZES.million),
    against('spark-jdbc', SIZES.million),
    against('spark-jdbc', SIZES.million, 'spark'),
    against('adbc', SIZES.six),
    against('connectorx', SIZES.six),
    {
      kind: 'memory',
      name: 'peak of the process, 6M rows',
      target: { atMostMiB: 400 },
      measure: async (round) => {
        await using copying = await copy('arrow', round.quick ? SIZES.quick : SIZES.six, round);
        return (await copying.go()).peakMiB;
      },
    },
  ],
});
