import type { BenchmarkResult } from './benchmark-result.js';
import { reportPicture } from './report-picture.js';
import { markdownTable, resultRows } from './result-table.js';

/** What of the README is made from the results stands between these lines. */
const README_BLOCK = /(<!-- benchmarks: [^\n]* -->\n)[\s\S]*?(\n<!-- end of benchmarks -->)/;

/**
 * The files that are made from bench/results/, by their path from the root of the checkout.
 * @param readme the README as it is
 */
export function performanceReport(results: readonly BenchmarkResult[], readme: string): Record<string, string> {
  const table = markdownTable(resultRows(results), ['benchmark', 'case', 'result', 'target', 'verdict']);
  return {
    'README.md': readme.replace(README_BLOCK, (_, begin: string, end: string) => `${begin}${table}${end}`),
    'docs/performance/README.md': page(results),
    'docs/performance/targets.svg': reportPicture(results),
  };
}

function page(results: readonly BenchmarkResult[]): string {
  const rows = resultRows(results);
  const missed = rows.filter((row) => row.verdict === 'missed').length;
  const verdict = missed === 0 ? 'every target met' : `${missed} missed`;
  return [
    '# Performance',
    '',
    'Made by `npm run bench -- report` from `bench/results/`. Each benchmark runs both sides in one process run, alternating, and',
    'compares medians; `rounds` is the range of the ratio (or of the percentile) over the rounds. Absolute numbers belong to the',
    'machine below; ratios carry over better. `npm run bench -- <name>` measures again.',
    '',
    rows.length === 0 ? 'Nothing has been measured yet.' : `${rows.length} cases, ${verdict}.`,
    '',
    '![Each benchmark against its target](targets.svg)',
    '',
    markdownTable(rows),
    '',
    '## What is compared, where and when',
    '',
    ...results.map((result) => `- **${result.id} ${result.name}**: ${result.what} ${circumstances(result)}`),
    '',
  ].join('\n');
}

function circumstances({ date, commit, rounds, machine }: BenchmarkResult): string {
  const servers = Object.entries(machine.servers).map(([name, version]) => `${name} ${version}`);
  const facts = [
    `${rounds} rounds`,
    date.slice(0, 10),
    commit === null ? 'uncommitted code' : `commit ${commit.slice(0, 10)}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    machine.kernel,
    `Node ${machine.node}`,
    ...servers,
  ];
  return `(${facts.join('; ')})`;
}
