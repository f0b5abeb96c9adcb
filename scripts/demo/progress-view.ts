import type { LiveRegion } from '../setup/live-region.mjs';
import type { DemoUnit } from './demo-catalog.js';
import type { RunFollower } from './follow-runs.js';

export interface ProgressRow {
  readonly unit: DemoUnit;
  readonly look: () => ReturnType<RunFollower['view']>;
}

const REDRAW_MS = 150;
/** Without a terminal, one line per unit in this time, and one at each change of state. */
const PLAIN_REPORT_MS = 5_000;

const count = (value: number) => Math.round(value).toLocaleString('en-US');

function stateOf(row: ProgressRow): string {
  return row.look().run?.state ?? 'QUEUED';
}

function line(row: ProgressRow): string {
  const { run, progress } = row.look();
  const { rowsRead, rowsWritten } = run?.stats ?? progress ?? { rowsRead: 0, rowsWritten: 0 };
  const activity =
    run?.state === 'RUNNING' && progress ? `${progress.phase}  ${count(progress.rowsPerSecond)} rows/s` : '';
  const state = stateOf(row).toLowerCase().padEnd(10);
  return `  ${row.unit.unitId.padEnd(10)}${state}${count(rowsRead).padStart(10)} read${count(rowsWritten).padStart(10)} written  ${activity}`.trimEnd();
}

/** Shows how far each run is. @returns ends the display, with the last state left on the screen */
export function showProgress(rows: readonly ProgressRow[], region: LiveRegion): () => void {
  const lastState = new Map<ProgressRow, string>();
  let lastReport = Date.now();
  const plain = () => {
    const due = Date.now() - lastReport >= PLAIN_REPORT_MS;
    if (due) lastReport = Date.now();
    for (const row of rows) {
      const state = stateOf(row);
      if (state === lastState.get(row) && !(due && state === 'RUNNING')) continue;
      lastState.set(row, state);
      region.print(line(row));
    }
  };
  const show = region.isLive ? () => region.draw(rows.map(line)) : plain;
  const timer = setInterval(show, REDRAW_MS);
  show();
  return () => {
    clearInterval(timer);
    if (!region.isLive) return plain();
    region.clear();
    for (const row of rows) region.print(line(row));
  };
}
