import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { REPOSITORY_ROOT } from '#stack';
import {
  type AnyBenchmark,
  performanceReport,
  readResults,
  resultRows,
  runBenchmark,
  slugOf,
  textTable,
  writeResult,
} from './harness/index.js';

const HELP = `Usage: npm run bench -- <name…> | all | report [options]

  <name>        a benchmark by its id (p6), its name (checkpoint-put) or both (p6-checkpoint-put)
  all           every benchmark
  report        write docs/performance/ and the README's table from bench/results/, as a run does at its end

  --rounds N    rounds that count, 5 or more (default 5)
  --quick       small sizes and 2 rounds, to see that it runs; writes no results
  --list        the benchmarks, one a line
  --help        this text
`;

/** The arguments are wrong; the message says how. */
class UsageError extends Error {}

const MIN_ROUNDS = 5;
const QUICK_ROUNDS = 2;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Invocation {
  readonly names: readonly string[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** @throws UsageError */
function parse(args: readonly string[]): Invocation {
  const { values, positionals } = parseOptions(args);
  const { quick, list, help } = values;
  const rounds = Number(values.rounds ?? (quick ? QUICK_ROUNDS : MIN_ROUNDS));
  const least = quick ? 1 : MIN_ROUNDS;
  if (!Number.isSafeInteger(rounds) || rounds < least) {
    throw new UsageError(`--rounds must be a whole number of ${least} or more`);
  }
  if (positionals.length === 0 && !list && !help) throw new UsageError('name a benchmark, or "all"');
  return { names: positionals, rounds, quick, list, help };
}

async function loadBenchmarks(): Promise<AnyBenchmark[]> {
  const files = readdirSync(import.meta.dirname).filter((file) => /^p\d+-[\w-]+\.ts$/.test(file));
  const modules = files.map(async (file) => {
    const { benchmark } = (await import(`./${file}`)) as { benchmark?: AnyBenchmark };
    if (benchmark === undefined || `${slugOf(benchmark)}.ts` !== file) {
      throw new TypeError(`bench/${file} must export a \`benchmark\` whose id and name make up the name of the file`);
    }
    return benchmark;
  });
  return (await Promise.all(modules)).sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** @throws UsageError that names what is no benchmark */
function choose(benchmarks: readonly AnyBenchmark[], names: readonly string[]): readonly AnyBenchmark[] {
  if (names.includes('all')) return benchmarks;
  const matches = (benchmark: AnyBenchmark, name: string) =>
    [benchmark.id.toLowerCase(), benchmark.name, slugOf(benchmark)].includes(name.toLowerCase());
  const unknown = names.filter((name) => !benchmarks.some((benchmark) => matches(benchmark, name)));
  if (unknown.length > 0) {
    throw new UsageError(
      `no benchmark is called ${unknown.join(', ')}; there are ${benchmarks.map(slugOf).join(', ')}`,
    );
  }
  return benchmarks.filter((benchmark) => names.some((name) => matches(benchmark, name)));
}

const README = join(REPOSITORY_ROOT, 'README.md');

function writeReport(): void {
  for (const [path, text] of Object.entries(performanceReport(readResults(), readFileSync(README, 'utf8')))) {
    mkdirSync(dirname(join(REPOSITORY_ROOT, path)), { recursive: true });
    writeFileSync(join(REPOSITORY_ROOT, path), text);
    process.stdout.write(`written: ${path}\n`);
  }
}

async function measure(benchmarks: readonly AnyBenchmark[], { rounds, quick }: Invocation): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = (name: NodeJS.Signals) => interrupt.abort(new Error(`ended by ${name}`));
  for (const name of SIGNALS) process.on(name, onSignal);
  let failed = 0;
  try {
    for (const benchmark of benchmarks) {
      if (interrupt.signal.aborted) break;
      process.stdout.write(`\n${slugOf(benchmark)}: ${benchmark.what}\n`);
      const onRound = (text: string) => process.stdout.write(`  ${text}\n`);
      try {
        const result = await runBenchmark(benchmark, { rounds, quick, signal: interrupt.signal, onRound });
        process.stdout.write(`\n${textTable(resultRows([result]))}\n`);
        process.stdout.write(quick ? 'a quick run: no results written\n' : `written: ${writeResult(result)}\n`);
      } catch (error) {
        failed += 1;
        const cause = interrupt.signal.aborted ? (error as Error).message : ((error as Error).stack ?? String(error));
        process.stderr.write(`${slugOf(benchmark)} did not finish: ${cause}\n`);
      }
    }
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
  if (!quick) writeReport();
  return failed === 0 && !interrupt.signal.aborted ? 0 : 1;
}

/**
 * Runs benchmarks. A missed target is printed and is no failure.
 * @returns exit code: 1 when a benchmark could not be run to its end, 2 when the arguments are wrong
 */
export async function bench(args: readonly string[]): Promise<number> {
  try {
    const invocation = parse(args);
    if (invocation.help) process.stdout.write(HELP);
    const benchmarks = await loadBenchmarks();
    if (invocation.list) {
      for (const benchmark of benchmarks) process.stdout.write(`${slugOf(benchmark)}: ${benchmark.what}\n`);
    }
    if (invocation.help || invocation.list) return 0;
    if (invocation.names.includes('report')) {
      writeReport();
      return 0;
    }
    return await measure(choose(benchmarks, invocation.names), invocation);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${HELP}`);
    return 2;
  }
}
