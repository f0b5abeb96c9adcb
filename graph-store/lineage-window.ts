import type { Reach } from './lineage-reach.js';

/** Ends and `via` of an edge: the order of the edges of one node. */
export type EdgeKey = readonly [from: string, to: string, via: string];

/** Before the first edge of a node. */
export const NO_EDGE: EdgeKey = ['', '', ''];

/**
 * Where a part of a walk ended. Nodes stand in the order of (step, urn), and after each of them its edges to itself and to the
 * nodes before it, so any place in this one sequence will do to go on.
 */
export interface LineagePlace {
  readonly step: number;
  readonly urn: string;
  /** The last edge of this node that was told; null when all were. */
  readonly edge: EdgeKey | null;
}

/** A node that is listed, with its distance from the start in stored edges. */
export interface ListedNode {
  readonly urn: string;
  readonly step: number;
}

/** The part of a walk's sequence that one answer tells. */
export interface Window {
  /** Everything that has been reached up to the end of the window. */
  readonly listed: readonly ListedNode[];
  /** Place in `listed` of the first node that was not told before. */
  readonly begin: number;
  /** Place of the node of which some edges were told already; `begin` where there is none. */
  readonly edgesBegin: number;
  readonly afterEdge: EdgeKey;
  /** Whether nodes were reached that do not fit. */
  readonly isCut: boolean;
}

function isBefore(a: ListedNode, b: ListedNode): boolean {
  return a.step === b.step ? a.urn < b.urn : a.step < b.step;
}

/** Whether levels hold more nodes than fit into a window. */
export function fillsWindow(
  levels: readonly (readonly string[])[],
  after: LineagePlace | undefined,
  maxNodes: number,
): boolean {
  const from = after?.step ?? 0;
  const first = levels[from] ?? [];
  const told = after === undefined ? 0 : first.findLastIndex((urn) => urn <= after.urn) + 1;
  let count = first.length - told;
  for (let step = from + 1; step < levels.length && count <= maxNodes; step += 1) count += levels[step]?.length ?? 0;
  return levels.length > from && count > maxNodes;
}

export function windowOf({ levels }: Reach, after: LineagePlace | undefined, maxNodes: number): Window {
  const all = levels.flatMap((urns, step) => urns.map((urn) => ({ urn, step })));
  if (after === undefined) {
    return {
      listed: all.slice(0, maxNodes),
      begin: 0,
      edgesBegin: 0,
      afterEdge: NO_EDGE,
      isCut: all.length > maxNodes,
    };
  }
  const next = all.findIndex((node) => isBefore(after, node));
  const begin = next === -1 ? all.length : next;
  const told = all[begin - 1];
  const isHalfTold = after.edge !== null && told?.urn === after.urn && told.step === after.step;
  return {
    listed: all.slice(0, begin + maxNodes),
    begin,
    edgesBegin: isHalfTold ? begin - 1 : begin,
    afterEdge: isHalfTold && after.edge !== null ? after.edge : NO_EDGE,
    isCut: all.length > begin + maxNodes,
  };
}
