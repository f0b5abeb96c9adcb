import { promisify } from 'node:util';
import { constants, deflateRaw, inflateRaw } from 'node:zlib';
import { AppError } from '#errors';
import type { ChangeItem } from './graph-store.js';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/**
 * Longer texts are kept packed: Neo4j cuts a text into records of 120 bytes and logs each of them, which is most of what the
 * commit of a large batch costs, and items of one batch are much alike. Shorter ones stay legible in Neo4j Browser.
 */
const LONGEST_TEXT = 4_096;

/** Items of a change as the graph keeps them. */
export interface KeptItems {
  /** JSON text, or its bytes as raw deflate. */
  readonly items: string | Int8Array;
  /** Characters of the text. */
  readonly size: number;
}

export async function packItems(items: readonly ChangeItem[]): Promise<KeptItems> {
  const text = JSON.stringify(items);
  if (text.length <= LONGEST_TEXT) return { items: text, size: text.length };
  const packed = await deflate(text, { level: constants.Z_BEST_SPEED });
  return { items: new Int8Array(packed.buffer, packed.byteOffset, packed.length), size: text.length };
}

/** @param kept as the driver returns it */
export async function unpackItems(kept: unknown): Promise<{ items: ChangeItem[]; size: number }> {
  const text = await textOf(kept);
  return { items: JSON.parse(text) as ChangeItem[], size: text.length };
}

async function textOf(kept: unknown): Promise<string> {
  if (typeof kept === 'string') return kept;
  if (!(kept instanceof Int8Array)) {
    throw new AppError('INTERNAL_SERVER_ERROR', 'a change of the log has items of an unknown form');
  }
  return (await inflate(new Uint8Array(kept.buffer, kept.byteOffset, kept.length))).toString('utf8');
}
