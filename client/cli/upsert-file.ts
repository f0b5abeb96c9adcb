import { createReadStream, statSync } from 'node:fs';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { isJsonObject } from '../nucleus-error.js';
import type { EntityInput, LinkInput, UpsertInput } from '../schema-types.js';
import { UsageError } from './exit-codes.js';

export const FILE_FORMATS = ['json', 'ndjson', 'arrow'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, FileFormat>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.arrow': 'arrow',
  '.arrows': 'arrow',
};

/** A file, or standard input, that holds what is to be written. */
export interface UpsertFile {
  readonly format: FileFormat;
  /** Bytes; undefined for standard input. */
  readonly size: number | undefined;
  /** Undefined for standard input, which can be read once. */
  readonly reopen: (() => AsyncIterable<Uint8Array>) | undefined;
  open(): AsyncIterable<Uint8Array>;
}

/** @param path `-` is standard input */
export function upsertFile(path: string, given: FileFormat | undefined, stdin: Readable): UpsertFile {
  if (path === '-') {
    if (given === undefined) throw new UsageError('--format says what standard input holds: json, ndjson or arrow');
    return { format: given, size: undefined, reopen: undefined, open: () => stdin };
  }
  const format = given ?? BY_EXTENSION[extname(path).toLowerCase()];
  if (format === undefined) throw new UsageError(`--format says what ${path} holds: json, ndjson or arrow`);
  const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
  return { format, size: sizeOf(path), reopen: open, open };
}

function sizeOf(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isFile()) return stats.size;
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  throw new UsageError(`${path} is not a file`);
}

/** `{"entities": […], "links": […]}`, a list of entities, or one entity. */
export async function jsonInput(file: UpsertFile): Promise<Pick<UpsertInput, 'entities' | 'links'>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.open()) chunks.push(chunk);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new UsageError(`the input is not JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(value)) return { entities: value as EntityInput[] };
  if (!isJsonObject(value)) throw new UsageError('the input must be a JSON object or a list of entities');
  if (!('entities' in value) && !('links' in value)) return { entities: [value as EntityInput] };
  const unknown = Object.keys(value).find((name) => name !== 'entities' && name !== 'links');
  if (unknown !== undefined) throw new UsageError(`the input has "${unknown}" beside "entities" and "links"`);
  return value as { entities?: EntityInput[]; links?: LinkInput[] };
}
