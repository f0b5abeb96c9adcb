import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { type MetadataRow, type MetadataRows, type RowRequest, refusedRow } from './metadata-row.js';
import { MAX_ROWS, overLimit } from './row-limits.js';

const NDJSON_LIMITS = { lineBytes: 1024 * 1024, depth: 32 } as const;

const LINE_FEED = 10;
const TOO_LONG = Symbol('a line over the bound');

const object = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);
const ifVersion = z.int().min(0).nullish();
const linkShape = { kind: z.string(), from: z.string(), to: z.string(), ifVersion };

/** A line holds exactly one of these, in the words of the GraphQL inputs. */
const lineSchema = z
  .strictObject({
    entity: z
      .strictObject({
        urn: z.string().nullish(),
        kind: z.string().nullish(),
        key: object.nullish(),
        name: z.string().nullish(),
        properties: object.nullish(),
        ifVersion,
      })
      .optional(),
    link: z.strictObject({ ...linkShape, properties: object.nullish() }).optional(),
    delete: z.strictObject({ urn: z.string(), ifVersion }).optional(),
    unlink: z.strictObject(linkShape).optional(),
  })
  .refine((line) => Object.keys(line).length === 1, 'must hold exactly one of entity, link, delete and unlink');

/**
 * Reads newline-delimited JSON. A line that is no request refuses itself alone; empty lines are passed over.
 * @throws AppError PAYLOAD_TOO_LARGE over `MAX_ROWS` lines
 */
export async function* ndjsonRows(chunks: AsyncIterable<Uint8Array>): MetadataRows {
  let row = 0;
  for await (const lines of linesOf(chunks)) {
    const rows: MetadataRow[] = [];
    for (const line of lines) {
      row += 1;
      if (row > MAX_ROWS) throw overLimit('too many lines', 'rows', MAX_ROWS);
      if (line === TOO_LONG) rows.push(refusedRow(row, '', `is longer than ${NDJSON_LIMITS.lineBytes} bytes`));
      else if (!isBlank(line)) rows.push(readLine(row, line));
    }
    yield rows;
  }
}

function readLine(row: number, line: Buffer): MetadataRow {
  if (!isUtf8(line)) return refusedRow(row, '', 'is no valid UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return refusedRow(row, '', 'is no JSON: write one object per line, without line breaks inside');
  }
  if (isDeeperThan(value, NDJSON_LIMITS.depth)) {
    return refusedRow(row, '', `is nested more than ${NDJSON_LIMITS.depth} levels deep`);
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refusedRow(row, issue?.path.join('.') ?? '', issue?.message ?? 'is no request');
  }
  return { row, bytes: line.byteLength, request: requestOf(parsed.data) };
}

function requestOf({ entity, link, unlink, delete: deletion }: z.infer<typeof lineSchema>): RowRequest {
  if (entity !== undefined) return { is: 'entity', item: entity };
  if (link !== undefined) return { is: 'link', item: link };
  if (unlink !== undefined) return { is: 'linkDeletion', item: unlink };
  return { is: 'deletion', item: deletion ?? { urn: '' } };
}

/** Never deeper than `most`, so a hostile line cannot exhaust the stack. */
function isDeeperThan(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (most === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, most - 1));
}

function isBlank(line: Buffer): boolean {
  return line.byteLength <= 1 && (line.byteLength === 0 || line[0] === 13);
}

type Line = Buffer | typeof TOO_LONG;

/** The lines that end in each chunk, without their line feed. What belongs to a line that is too long is dropped as it comes. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let parts: Buffer[] = [];
  let held = 0;
  const take = (): Line => {
    const line = held > NDJSON_LIMITS.lineBytes ? TOO_LONG : joined(parts);
    parts = [];
    held = 0;
    return line;
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Line[] = [];
    let start = 0;
    while (start < bytes.byteLength) {
      const feed = bytes.indexOf(LINE_FEED, start);
      const end = feed === -1 ? bytes.byteLength : feed;
      held += end - start;
      if (held <= NDJSON_LIMITS.lineBytes) parts.push(bytes.subarray(start, end));
      else parts = [];
      if (feed !== -1) lines.push(take());
      start = end + 1;
    }
    yield lines;
  }
  if (held > 0) yield [take()];
}

function joined(parts: readonly Buffer[]): Buffer {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}
