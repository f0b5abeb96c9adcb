import { canonicalText, hashOf } from './canonical-text.js';
import type { EventTime } from './event-time.js';
import { mergeInOrder } from './in-order.js';

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
  return mergeInOrder([a, b], firstOf);
}

function firstOf(a: EditWord, b: EditWord): EditWord {
  if (a.at !== b.at) return a.at < b.at ? a : b;
  return hashOf(canonicalText(a)) < hashOf(canonicalText(b)) ? a : b;
}
