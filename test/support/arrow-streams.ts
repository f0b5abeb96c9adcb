import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { KindDefinition } from '#graph-schema';
import { arrowRows, openArrowStream } from '#ingestion';
import type { MetadataRow } from '../../ingestion/metadata/metadata-row.js';

const run = promisify(execFile);

/** What pyarrow writes for a case of test/support/write_arrow.py. */
export async function pyarrowStream(name: string, prefix = ''): Promise<Buffer> {
  const { stdout } = await run('.venv/bin/python', ['test/support/write_arrow.py', name, prefix], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

export const MAX_BYTES = 4 * 1024 * 1024;

/** Only what the reader looks at. */
export const DATASET_KIND: KindDefinition = {
  name: 'Dataset',
  origin: 'CATALOG',
  description: '',
  urnKind: 'dataset',
  keyParts: ['namespace', 'name'],
  properties: {},
  links: [],
};

/** Bytes in pieces of a size that fits nothing. */
export async function* inPieces(bytes: Uint8Array, size = 97): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size);
}

export async function readEntities(bytes: Uint8Array, nulls: 'keep' | 'remove' = 'keep'): Promise<MetadataRow[]> {
  const stream = await openArrowStream(inPieces(bytes), { maxBytes: MAX_BYTES });
  const rows: MetadataRow[] = [];
  for await (const slice of arrowRows(stream, { are: 'entities', kind: DATASET_KIND }, { nulls })) rows.push(...slice);
  return rows;
}
