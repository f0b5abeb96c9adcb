import type { BenchmarkResult, CaseResult } from './benchmark-result.js';

const WIDTH = 860;
const LABEL_WIDTH = 330;
const VALUE_WIDTH = 110;
const ROW_HEIGHT = 26;
const HEADER_HEIGHT = 44;
/** Where the target stands on the axis, so that cases with quite different targets share one picture. */
const TARGET_SHARE = 0.5;
const COLOURS = { met: '#2f7d4f', missed: '#b3402e', line: '#444444', text: '#222222', paper: '#ffffff' } as const;

/** A bar for each case: how far it reaches towards its target, which is the vertical line; longer is better. */
export function reportPicture(results: readonly BenchmarkResult[]): string {
  const rows = results.flatMap((result) =>
    result.cases.map((found) => ({ label: `${result.id} ${result.name}: ${found.name}`, found })),
  );
  const height = HEADER_HEIGHT + rows.length * ROW_HEIGHT + 12;
  const barWidth = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const targetX = LABEL_WIDTH + barWidth * TARGET_SHARE;
  const bars = rows.map(({ label, found }, index) => {
    const y = HEADER_HEIGHT + index * ROW_HEIGHT;
    const length = barWidth * Math.min(1, shareOfTarget(found) * TARGET_SHARE);
    return [
      text(LABEL_WIDTH - 8, y + 15, label, 'end'),
      `<rect x="${LABEL_WIDTH}" y="${y + 4}" width="${length.toFixed(1)}" height="${ROW_HEIGHT - 10}" fill="${found.met ? COLOURS.met : COLOURS.missed}"/>`,
      text(LABEL_WIDTH + barWidth + 8, y + 15, value(found), 'start'),
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Each benchmark against its target</title>',
    `<rect width="${WIDTH}" height="${height}" fill="${COLOURS.paper}"/>`,
    text(targetX, 20, 'target', 'middle'),
    ...bars,
    `<line x1="${targetX}" y1="28" x2="${targetX}" y2="${height - 8}" stroke="${COLOURS.line}" stroke-dasharray="4 3"/>`,
    '</svg>',
    '',
  ].join('\n');
}

/** 1 at the target, more when better. */
function shareOfTarget(found: CaseResult): number {
  switch (found.kind) {
    case 'ratio':
      return found.ratio / found.target.atLeast;
    case 'rate':
      return found.ours.perSecond.median / found.target.atLeastPerSecond;
    case 'latency':
      return found.target.atMostMs / found.valueMs;
    case 'memory':
      return found.target.atMostMiB / found.valueMiB;
  }
}

function value(found: CaseResult): string {
  switch (found.kind) {
    case 'ratio':
      return `${found.ratio.toFixed(2)} (≥ ${found.target.atLeast.toFixed(2)})`;
    case 'rate':
      return `${found.ours.perSecond.median.toFixed(0)}/s (≥ ${found.target.atLeastPerSecond})`;
    case 'latency':
      return `${found.valueMs.toFixed(0)} ms (≤ ${found.target.atMostMs})`;
    case 'memory':
      return `${found.valueMiB.toFixed(0)} MiB (≤ ${found.target.atMostMiB})`;
  }
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${COLOURS.text}">${escaped}</text>`;
}
