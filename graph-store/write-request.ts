import { createHash } from 'node:crypto';
import type { ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import { ANSWER_REQUEST, TAKE_REQUEST } from '#graph-schema';
import type { GraphBatch, Refusal, WriteOptions, WriteOutcome } from './graph-store.js';
import { toNeo4j } from './property-values.js';
import { type BatchItem, type Chunk, type ListName, placedItems } from './split-batch.js';
import type { PlannedResult } from './write-plan.js';

/** What one transaction has answered. */
export interface ChunkAnswer {
  readonly sequence: number | null;
  readonly results: readonly PlannedResult[];
}

/** One transaction of a request that is to be done once. */
export interface WriteRequest {
  readonly key: string;
  /** Tells another batch under the same key. */
  readonly hash: string;
}

export function requestHash(batch: GraphBatch, options: Pick<WriteOptions, 'atomic' | 'missingEnds'>): string {
  return createHash('sha256')
    .update(JSON.stringify([options, batch]))
    .digest('hex');
}

/** Keys of two actors never meet, and a batch that is split has one for each part. */
export function requestKey(actor: string, idempotencyKey: string, part: number): string {
  return JSON.stringify([actor, idempotencyKey, part]);
}

/**
 * Takes the key for this transaction; a request that holds it is waited for.
 * @returns the answer that the first request was given; undefined for the first request itself
 * @throws AppError CONFLICT when the key was used with another batch
 */
export async function earlierAnswer(
  tx: ManagedTransaction,
  request: WriteRequest,
  chunk: Chunk,
  now: Date,
): Promise<ChunkAnswer | undefined> {
  const taken = await tx.run<{ hash: string; receipt: string | null }>(TAKE_REQUEST, { ...request, now: toNeo4j(now) });
  const row = taken.records[0];
  if (row === undefined || row.get('hash') !== request.hash) {
    throw new AppError('CONFLICT', 'the idempotency key was used with another batch: take a new key', {
      details: { field: 'idempotencyKey' },
    });
  }
  const receipt = row.get('receipt');
  return receipt === null ? undefined : fromReceipt(receipt, chunk);
}

export async function keepAnswer(tx: ManagedTransaction, request: WriteRequest, answer: ChunkAnswer): Promise<void> {
  await tx.run(ANSWER_REQUEST, { key: request.key, receipt: toReceipt(answer) });
}

type Line = readonly [list: ListName, index: number, outcome: WriteOutcome, version: number, refusal?: Refusal];

/** The batch is the same, so what it names need not be kept. */
function toReceipt({ sequence, results }: ChunkAnswer): string {
  const lines = results.map(({ list, index, result: { outcome, version, refusal } }): Line => {
    return refusal === undefined ? [list, index, outcome, version] : [list, index, outcome, version, refusal];
  });
  return JSON.stringify({ sequence, lines });
}

function fromReceipt(receipt: string, chunk: Chunk): ChunkAnswer {
  const { sequence, lines } = JSON.parse(receipt) as { sequence: number | null; lines: Line[] };
  const items = new Map<string, BatchItem>();
  for (const { list, index, item } of placedItems(chunk)) items.set(`${list}.${index}`, item);
  const results = lines.flatMap(([list, index, outcome, version, refusal]): PlannedResult[] => {
    const item = items.get(`${list}.${index}`);
    if (item === undefined) return [];
    const told = { outcome, version, ...(refusal === undefined ? {} : { refusal }) };
    const result =
      'urn' in item ? { urn: item.urn, ...told } : { urn: item.from, kind: item.kind, to: item.to, ...told };
    return [{ list, index, result }];
  });
  return { sequence, results };
}
