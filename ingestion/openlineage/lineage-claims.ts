import { hashOf } from './canonical-text.js';
import { type EventTime, earlier, later } from './event-time.js';
import { mergeInOrder } from './in-order.js';

/**
 * From when to when one source has claimed one edge: the times of its first and its last event that name it. In between the edge
 * counts as claimed throughout, since events of one run accumulate; so two times are enough for a run of any length.
 */
export interface Span {
  readonly first: EventTime;
  readonly last: EventTime;
  /** Canonical JSON of what the last event says of the edge itself, such as the transformations of a column; null for nothing. */
  readonly note: string | null;
}

/** One side of one owner: its inputs, its outputs, or the columns that it makes in one data set. */
export type Side = 'inputs' | 'outputs' | { readonly columnsOf: string };

/** The edges of one side that one source claims, by the urn of the data set, or by `columnEdgeKey`. */
export type Claims = Readonly<Record<string, Span>>;

export function mergeClaims(a: Claims, b: Claims): Claims {
  let last: { readonly a: Span; readonly b: Span; readonly merged: Span } | undefined;
  // Edges of which one thing is said share one span, and go on to do so.
  return mergeInOrder([a, b], (ours, theirs) => {
    if (last?.a !== ours || last.b !== theirs) last = { a: ours, b: theirs, merged: mergeSpans(ours, theirs) };
    return last.merged;
  });
}

export function mergeSpans(a: Span, b: Span): Span {
  return {
    first: earlier(a.first, b.first),
    last: later(a.last, b.last),
    note: newerNote(a, b),
  };
}

function newerNote(a: Span, b: Span): string | null {
  if (a.last !== b.last) return a.last > b.last ? a.note : b.note;
  if (a.note === b.note) return a.note;
  return hashOf(a.note ?? 'null') > hashOf(b.note ?? 'null') ? a.note : b.note;
}

/** By source column and target data set column; urns hold no spaces. */
export function columnEdgeKey(from: string, to: string): string {
  return `${from} ${to}`;
}

export function columnEdgeOf(key: string): { readonly from: string; readonly to: string } {
  const space = key.indexOf(' ');
  return { from: key.slice(0, space), to: key.slice(space + 1) };
}
