import type { BenchmarkResult, CaseResult } from './benchmark-result.js';

/** One case in words, the same for the terminal and for the page. */
export interface ResultRow {
  readonly benchmark: string;
  readonly case: string;
  readonly ours: string;
  readonly baseline: string;
  readonly result: string;
  readonly spread: string;
  readonly target: string;
  readonly verdict: 'met' | 'missed';
}

const HEADER = {
  benchmark: 'benchmark',
  case: 'case',
  ours: 'ours',
  baseline: 'baseline',
  result: 'result',
  spread: 'rounds',
  target: 'target',
  verdict: 'target met?',
} as const satisfies Record<keyof ResultRow, string>;
const COLUMNS = Object.keys(HEADER) as (keyof ResultRow)[];

export function resultRows(results: readonly BenchmarkResult[]): ResultRow[] {
  return results.flatMap((result) =>
    result.cases.map((found) => ({
      benchmark: `${result.id} ${result.name}`,
      case: found.name,
      ...cells(found),
      verdict: found.met ? 'met' : 'missed',
    })),
  );
}

function cells(found: CaseResult): Pick<ResultRow, 'ours' | 'baseline' | 'result' | 'spread' | 'target'> {
  switch (found.kind) {
    case 'ratio': {
      const { min, max } = found.roundRatios.spread;
      return {
        ours: `${count(found.ours.perSecond.median)} ${found.unit}/s`,
        baseline: `${count(found.baseline.perSecond.median)} ${found.unit}/s`,
        result: `${found.ratio.toFixed(2)} ×`,
        spread: `${min.toFixed(2)} – ${max.toFixed(2)}`,
        target: `≥ ${found.target.atLeast.toFixed(2)}`,
      };
    }
    case 'rate': {
      const { median, min, max } = found.ours.perSecond;
      return {
        ours: `${count(median)} ${found.unit}/s`,
        baseline: '–',
        result: `${count(median)} ${found.unit}/s`,
        spread: `${count(min)} – ${count(max)}`,
        target: `≥ ${count(found.target.atLeastPerSecond)} ${found.unit}/s`,
      };
    }
    case 'latency':
      return {
        ours: `p50 ${found.percentilesMs.p50.toFixed(1)} ms`,
        baseline: '–',
        result: `p${found.target.percentile} ${found.valueMs.toFixed(1)} ms`,
        spread: `${Math.min(...found.rounds).toFixed(1)} – ${Math.max(...found.rounds).toFixed(1)}`,
        target: `≤ ${found.target.atMostMs} ms`,
      };
    case 'memory':
      return {
        ours: `${count(found.valueMiB)} MiB`,
        baseline: '–',
        result: `${count(found.valueMiB)} MiB`,
        spread: `${count(Math.min(...found.rounds))} – ${count(found.valueMiB)}`,
        target: `≤ ${found.target.atMostMiB} MiB`,
      };
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

/** For the terminal: columns padded to one width. */
export function textTable(rows: readonly ResultRow[]): string {
  const all = [HEADER, ...rows];
  const widths = COLUMNS.map((column) => Math.max(...all.map((row) => row[column].length)));
  return all
    .map((row) =>
      COLUMNS.map((column, index) => row[column].padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdownTable(rows: readonly ResultRow[], columns: readonly (keyof ResultRow)[] = COLUMNS): string {
  const line = (cellsOfRow: readonly string[]) => `| ${cellsOfRow.join(' | ')} |`;
  return [
    line(columns.map((column) => HEADER[column])),
    line(columns.map(() => '---')),
    ...rows.map((row) =>
      line(columns.map((column) => (column === 'verdict' && row.verdict === 'missed' ? '**missed**' : row[column]))),
    ),
  ].join('\n');
}
