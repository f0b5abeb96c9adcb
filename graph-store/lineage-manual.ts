import { LINEAGE_DRAWN_BY_HAND } from '#graph-schema';
import type { BoundedRead } from './lineage-session.js';

/** Of each edge, whether somebody has asserted or withdrawn it by hand. */
export async function readDrawnByHand(
  read: BoundedRead,
  edges: readonly { readonly from: string; readonly to: string }[],
): Promise<readonly boolean[]> {
  const ends = edges.map(({ from, to }) => ({ from, to }));
  const rows = await read.run<{ place: number }>(LINEAGE_DRAWN_BY_HAND, { edges: ends });
  const drawn = new Set(rows.map(({ place }) => place));
  return edges.map((_, place) => drawn.has(place));
}
