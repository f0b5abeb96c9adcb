import { isJsonObject, NucleusError } from './nucleus-error.js';
import type { EntityInput, EntityReference, LinkInput, LinkReference } from './schema-types.js';

/** One line of NDJSON. */
export type BulkItem =
  | { readonly entity: EntityInput }
  | { readonly link: LinkInput }
  | { readonly delete: EntityReference }
  | { readonly unlink: LinkReference };

export type Chunk = Uint8Array | string;

/**
 * What to send: bytes or text as they are, or for NDJSON objects, each of which becomes a line. An iterable is read once,
 * so such an upload is not repeated when it fails; a function that gives a new one each time makes it repeatable.
 */
export type BulkBody =
  | Chunk
  | readonly BulkItem[]
  | AsyncIterable<Chunk | BulkItem>
  | (() => AsyncIterable<Chunk | BulkItem>);

export const BULK_FORMATS = ['arrow', 'ndjson'] as const;
export type BulkFormat = (typeof BULK_FORMATS)[number];

const CONTENT_TYPES: Readonly<Record<BulkFormat, string>> = {
  arrow: 'application/vnd.apache.arrow.stream',
  ndjson: 'application/x-ndjson',
};

export interface BulkInput {
  readonly format: BulkFormat;
  /** Arrow: rows are entities of this kind. */
  readonly kind?: string | undefined;
  /** Arrow: rows are links of this kind. */
  readonly link?: string | undefined;
  /** All rows or none, in one transaction. @default false */
  readonly atomic?: boolean | undefined;
  /** @default false */
  readonly allowPlaceholders?: boolean | undefined;
  /** Arrow: `remove` lets an empty cell remove its property. @default 'keep' */
  readonly nulls?: 'keep' | 'remove' | undefined;
  /** @default a new one for each call, shared by its retries */
  readonly idempotencyKey?: string | undefined;
}

/** What became of an upload. Refused rows are no failure of the upload: they stand in `errors`. */
export interface BulkResult {
  readonly commit: string | null;
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly revived: number;
  readonly deleted: number;
  readonly refused: number;
  readonly transactions: number;
  readonly replayed: boolean;
  /** The first 1,000. */
  readonly errors: readonly BulkRowError[];
  readonly errorsOmitted: number;
}

export interface BulkRowError {
  /** Counted from 1; of NDJSON the line. */
  readonly row: number;
  readonly code: string;
  /** Empty when the row as a whole is at fault. */
  readonly field: string;
  readonly message: string;
}

/** Whether a failed upload can be sent again from its start. */
export function isRepeatable(body: BulkBody): boolean {
  return typeof body === 'string' || typeof body === 'function' || body instanceof Uint8Array || Array.isArray(body);
}

export function bulkPath(input: BulkInput & { readonly idempotencyKey: string }): string {
  const { kind, link, atomic, allowPlaceholders, nulls, idempotencyKey } = input;
  const given = { kind, link, atomic, allowPlaceholders, nulls, idempotencyKey };
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== false && value !== 'keep') parameters.set(name, String(value));
  }
  return `api/v1/bulk?${parameters}`;
}

export function bulkContentType(format: BulkFormat): string {
  return CONTENT_TYPES[format];
}

/** @throws NucleusError BAD_RESPONSE when the answer is no result of an upload */
export function bulkResult(json: unknown): BulkResult {
  if (!isJsonObject(json) || typeof json.rows !== 'number' || !Array.isArray(json.errors)) {
    throw new NucleusError('BAD_RESPONSE', 'the answer to the upload is not of the expected form');
  }
  return { errorsOmitted: 0, ...json } as unknown as BulkResult;
}
