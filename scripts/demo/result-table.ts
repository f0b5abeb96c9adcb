import type { UnitResult } from './run-demo.js';

const COLUMNS: readonly { title: string; right: boolean; of: (unit: UnitResult) => string }[] = [
  { title: 'unit', right: false, of: (unit) => unit.unitId },
  { title: 'mode', right: false, of: (unit) => unit.mode.toLowerCase() },
  { title: 'sink', right: false, of: (unit) => `${unit.sinkId} (${unit.writeMode.toLowerCase()})` },
  { title: 'state', right: false, of: (unit) => unit.state.toLowerCase() },
  { title: 'rows read', right: true, of: (unit) => unit.rowsRead.toLocaleString('en-US') },
  { title: 'rows written', right: true, of: (unit) => unit.rowsWritten.toLocaleString('en-US') },
  { title: 'seconds', right: true, of: (unit) => unit.seconds.toFixed(1) },
];

/** The result of the demo as a text table, followed by the causes of the runs that failed. */
export function resultTable(units: readonly UnitResult[]): string {
  const rows = [
    COLUMNS.map((column) => column.title),
    ...units.map((unit) => COLUMNS.map((column) => column.of(unit))),
  ];
  const widths = COLUMNS.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const format = (row: readonly string[]) =>
    row
      .map((cell, index) =>
        COLUMNS[index]?.right ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const [header = [], ...body] = rows;
  const causes = units.filter((unit) => unit.error).map((unit) => `\n${unit.unitId}: ${unit.error}`);
  return [
    `\n${format(header)}`,
    widths.map((width) => '─'.repeat(width)).join('  '),
    ...body.map(format),
    ...causes,
  ].join('\n');
}
