import { canonicalText, hashOf } from './canonical-text.js';
import type { EventTime } from './event-time.js';
import { inOrder } from './in-order.js';

/** What one edit says of one edge. */
export interface EditWord {
  readonly does: 'assert' | 'withdraw';
  readonly at: EventTime;
  readonly actor: string;
  readonly note: string | null;
}

/** What all edits say of one edge, by their ids. */
export type EditWords = Readonly<Record<string, EditWord>>;

/** Of two edits with one id the earlier is the request, and the later its repetition. */
export function mergeEditWords(a: EditWords, b: EditWords): EditWords {
  const merged = new Map(Object.entries(a));
  for (const [id, word] of Object.entries(b)) {
    const held = merged.get(id);
    merged.set(id, held === undefined ? word : firstOf(held, word));
  }
  return inOrder(merged);
}

function firstOf(a: EditWord, b: EditWord): EditWord {
  if (a.at !== b.at) return a.at < b.at ? a : b;
  return hashOf(canonicalText(a)) < hashOf(canonicalText(b)) ? a : b;
}
