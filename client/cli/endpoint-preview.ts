import type { MetadataPreview, PreviewMetadataInput, PreviewMetadataPayload } from '../endpoint-types.js';
import { NucleusError } from '../nucleus-error.js';
import { OPERATIONS } from '../operations.js';
import { accepted } from './accepted.js';
import type { Session } from './cli-command.js';
import { EXIT_CODES } from './exit-codes.js';
import type { Output } from './output.js';

/** Characters of one cell that a terminal is shown; --json has all. */
const WIDEST_CELL = 40;

/** Prints some rows as a table. @returns the exit code: 1 when the source could not be read */
export async function previewEndpoint(
  input: PreviewMetadataInput,
  { client, output, signal }: Session,
): Promise<number> {
  const payload = await client.graphql<{ previewMetadata: PreviewMetadataPayload }>(
    OPERATIONS.previewMetadata,
    { input },
    { signal },
  );
  const { preview, error } = accepted(payload.previewMetadata);
  if (preview === null) {
    output.failure(new NucleusError(error?.code ?? 'INTERNAL', error?.message ?? 'nothing was read'));
    return EXIT_CODES.internal;
  }
  await output.result(preview, () => tableOf(preview, output));
  return EXIT_CODES.ok;
}

function tableOf({ namespace, name, columns, rows, truncated }: MetadataPreview, output: Output): string {
  const cells = rows.map((row) => row.map((value) => shortened(value ?? 'NULL')));
  const heads = columns.map((column) => shortened(column.name));
  const widths = heads.map((head, index) => Math.max(head.length, ...cells.map((row) => row[index]?.length ?? 0)));
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const more = truncated ? ', and there is more' : '';
  return [
    output.paint('dim', `${namespace} ${name}: ${rows.length} row${rows.length === 1 ? '' : 's'}${more}`),
    output.paint('cyan', lineOf(heads)),
    ...cells.map(lineOf),
  ].join('\n');
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= WIDEST_CELL ? line : `${line.slice(0, WIDEST_CELL - 1)}…`;
}
