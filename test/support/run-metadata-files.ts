import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Table, tableFromArrays, tableToIPC } from 'apache-arrow';
import type { RunMetadataFile } from '#ingestion/contracts';

export type Columns = Parameters<typeof tableFromArrays>[0];

/** Leaves a metadata file as a run would, and answers its entry in the run's result. */
export async function leaveRunMetadata(
  root: string,
  path: string,
  subject: Pick<RunMetadataFile, 'contents' | 'kind'>,
  columns: Columns | Table,
): Promise<RunMetadataFile> {
  const table = columns instanceof Table ? columns : tableFromArrays(columns);
  const content = tableToIPC(table, 'stream');
  const place = join(root, path);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, content);
  return { path, ...subject, rows: table.numRows, sha256: createHash('sha256').update(content).digest('hex') };
}
