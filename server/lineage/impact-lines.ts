import type { LineageNode } from '#graph-store';
import type { ExportFormat } from './impact-query.js';

const COLUMNS = ['urn', 'kind', 'name', 'depth', 'placeholder', 'deletedAt'] as const satisfies (keyof LineageNode)[];

export const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
};

/** What stands before the first node. */
export function openingOf(format: ExportFormat): string {
  return format === 'csv' ? csvLine(COLUMNS) : '';
}

export function lineOf(format: ExportFormat, node: LineageNode): string {
  return format === 'csv' ? csvLine(COLUMNS.map((column) => node[column])) : `${JSON.stringify(node)}\n`;
}

/** RFC 4180. */
function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return `${values.map(csvValue).join(',')}\r\n`;
}

/** Begins what a spreadsheet would calculate, be it within quotes; some take the wide forms and a leading tab for the same. */
const FORMULA = /^[\t\r\n ]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/** Names come from anybody who sends events, and people open exports in spreadsheets. */
function csvValue(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value ?? '');
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
