import type { LineageWay } from '#graph-schema';
import type { EdgeCut } from './lineage-edges.js';
import type { Reach } from './lineage-reach.js';
import type { LineageTruncation } from './lineage-types.js';
import type { LineagePlace, ListedNode, Window } from './lineage-window.js';

type Hub = NonNullable<LineageTruncation['hub']>;

export interface Told {
  readonly reached: Reach;
  readonly window: Window;
  readonly cut: EdgeCut | null;
  readonly told: readonly ListedNode[];
  readonly after: LineagePlace | undefined;
  readonly maxNodes: number;
  /** Prints a place to go on from. */
  readonly next: (place: LineagePlace) => string;
  /** The node with the most neighbours among those of the last step but one; none where there are no such nodes. */
  readonly hubAmong: (urns: readonly string[], way: LineageWay) => Promise<readonly Hub[]>;
}

/** Why a part of a walk is not the last one, and how to go on; null where it is. */
export async function truncationOf(part: Told): Promise<LineageTruncation | null> {
  const { reached, window, cut, told, after, next } = part;
  if (cut !== null) {
    const node = window.listed[cut.place];
    if (node !== undefined) return { reason: 'edges', hub: null, next: next({ ...node, edge: cut.edge }) };
  }
  const last = told.at(-1) ?? after;
  if (last === undefined) return null;
  const end = next({ step: last.step, urn: last.urn, edge: null });
  if (window.isCut || reached.stopped === 'full') {
    const hub = await hubOf(part);
    return { reason: hub === null ? 'nodes' : 'hub', hub, next: end };
  }
  return reached.stopped === 'deadline' ? { reason: 'deadline', hub: null, next: end } : null;
}

/** A node before the last level that has more neighbours than fit into an answer. */
async function hubOf({ reached: { lastFrontiers }, maxNodes, hubAmong }: Told): Promise<Hub | null> {
  const rows = await Promise.all([...lastFrontiers].map(([way, urns]) => hubAmong(urns, way)));
  const [hub] = rows.flat().sort((a, b) => b.neighbours - a.neighbours);
  return hub !== undefined && hub.neighbours > maxNodes ? hub : null;
}
