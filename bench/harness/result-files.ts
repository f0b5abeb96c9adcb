import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#stack';
import { slugOf } from './benchmark.js';
import { type BenchmarkResult, benchmarkResultSchema } from './benchmark-result.js';

const FOLDER = join(REPOSITORY_ROOT, 'bench', 'results');
const SUFFIX = '.json';

/** @returns path of the file, from the root of the checkout */
export function writeResult(result: BenchmarkResult): string {
  const file = `${slugOf(result)}${SUFFIX}`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, file), `${JSON.stringify(rounded(result), null, 2)}\n`);
  return `bench/results/${file}`;
}

/** All results that are kept, ordered by the number in their id. @throws ZodError when a file has another shape */
export function readResults(): BenchmarkResult[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => benchmarkResultSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))))
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }) || a.name.localeCompare(b.name, 'en'));
}

/** Five significant digits: more would be noise, and noise in every diff. Whole numbers stay as they are. */
function rounded(result: BenchmarkResult): BenchmarkResult {
  const short = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  return JSON.parse(JSON.stringify(result, short));
}
