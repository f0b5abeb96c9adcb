import type { LineageLevel } from '#graph-schema';
import type { LineageDirection, LineageFilter, LineageView } from '../../graph-store/lineage-types.js';

export interface ModelNode {
  readonly urn: string;
  /** Null for a placeholder. */
  readonly label: 'Dataset' | 'Job' | 'Field' | null;
  readonly deletedAt: string | null;
}

export interface ModelEdge {
  readonly kind: 'FEEDS' | 'PRODUCES' | 'DERIVES' | 'HAS_FIELD';
  readonly from: string;
  readonly to: string;
  readonly via: string | null;
  /** Null for an edge that is valid from its creation on. */
  readonly intervals: readonly { readonly from: string; readonly to: string | null }[] | null;
  readonly createdAt: string;
  readonly deletedAt: string | null;
}

export interface ModelGraph {
  readonly nodes: readonly ModelNode[];
  readonly edges: readonly ModelEdge[];
}

export interface ModelWalk {
  readonly urn: string;
  readonly direction: LineageDirection;
  readonly depth: number | undefined;
  readonly level: LineageLevel;
  readonly view: LineageView;
  readonly filter: LineageFilter;
}

export interface ModelAnswer {
  /** `urn@depth`, nearest first, then by stored edges from the start, then by urn. */
  readonly nodes: readonly string[];
  /** `kind from to via`, sorted. */
  readonly edges: readonly string[];
}

/** What a walk promises, in memory: the reference that walks over Neo4j are compared with. */
export class LineageModel {
  readonly #nodes: ReadonlyMap<string, ModelNode>;
  readonly #edges: readonly ModelEdge[];

  constructor(nodes: readonly ModelNode[], edges: readonly ModelEdge[]) {
    this.#nodes = new Map(nodes.map((node) => [node.urn, node]));
    this.#edges = edges;
  }

  /** Null where the start does not exist in the view. */
  walk(walk: ModelWalk): ModelAnswer | null {
    const { urn, direction, depth, level, view } = walk;
    if (!this.#isNode(urn, view)) return null;
    const edges = this.#edges.filter(
      (edge) => isEdge(edge, view) && this.#isNode(edge.from, view) && this.#isNode(edge.to, view),
    );
    const stored = edges.filter(({ kind }) => (level === 'FIELD') === (kind === 'DERIVES') && kind !== 'HAS_FIELD');
    const fields = edges.filter(({ kind, from }) => kind === 'HAS_FIELD' && from === urn).map(({ to }) => to);
    const starts = level === 'FIELD' && this.#nodes.get(urn)?.label === 'Dataset' ? fields : [urn];
    const stepsOfHop = level === 'FIELD' ? 1 : 2;
    const distances = new Map<string, number>();
    for (const way of ['UPSTREAM', 'DOWNSTREAM'] as const) {
      if (direction !== 'BOTH' && direction !== way) continue;
      for (const [node, steps] of distancesFrom(starts, stored, way)) {
        if (depth !== undefined && steps > depth * stepsOfHop) continue;
        distances.set(node, Math.min(steps, distances.get(node) ?? steps));
      }
    }
    const shown = [...distances]
      .filter(([node, steps]) => steps === 0 || this.#isShown(node, walk))
      .sort(([a, left], [b, right]) => left - right || (a < b ? -1 : 1));
    const isListed = (node: string) => shown.some(([listed]) => listed === node);
    const drawn = level === 'JOB' ? passes(stored) : stored.map(({ kind, from, to, via }) => ({ kind, from, to, via }));
    return {
      nodes: shown.map(([node, steps]) => `${node}@${Math.ceil(steps / stepsOfHop)}`),
      edges: drawn
        .filter(({ from, to }) => isListed(from) && isListed(to))
        .map(edgeText)
        .sort(),
    };
  }

  #isNode(urn: string, view: LineageView): boolean {
    const deletedAt = this.#nodes.get(urn)?.deletedAt ?? null;
    return deletedAt === null || view === 'EVER' || (view !== 'CURRENT' && deletedAt > view.at);
  }

  #isShown(urn: string, { level, filter }: ModelWalk): boolean {
    const [, kind, namespace = ''] = urn.split(':');
    if (level === 'JOB' && kind !== 'job') return false;
    if (filter.kinds !== undefined && !filter.kinds.some((name) => name.toLowerCase() === kind)) return false;
    return filter.namespaces === undefined || filter.namespaces.includes(namespace);
  }
}

export function edgeText(edge: { kind: string; from: string; to: string; via: string | null }): string {
  return `${edge.kind} ${edge.from} ${edge.to} ${edge.via ?? ''}`;
}

export function isEdge(edge: ModelEdge, view: LineageView): boolean {
  if (view === 'EVER') return true;
  if (view === 'CURRENT') {
    return edge.deletedAt === null && (edge.intervals === null || edge.intervals.at(-1)?.to === null);
  }
  const { at } = view;
  if (edge.deletedAt !== null && edge.deletedAt <= at) return false;
  const intervals = edge.intervals ?? [{ from: edge.createdAt, to: null }];
  return intervals.some(({ from, to }) => from <= at && (to === null || at < to));
}

function distancesFrom(starts: readonly string[], edges: readonly ModelEdge[], way: 'UPSTREAM' | 'DOWNSTREAM') {
  const distances = new Map(starts.map((urn) => [urn, 0]));
  const queue = [...starts];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const edge of edges) {
      const [near, far] = way === 'DOWNSTREAM' ? [edge.from, edge.to] : [edge.to, edge.from];
      if (near !== node || distances.has(far)) continue;
      distances.set(far, (distances.get(node) ?? 0) + 1);
      queue.push(far);
    }
  }
  return distances;
}

function passes(edges: readonly ModelEdge[]) {
  return edges
    .filter(({ kind }) => kind === 'PRODUCES')
    .flatMap(({ from, to: via }) =>
      edges
        .filter((edge) => edge.kind === 'FEEDS' && edge.from === via)
        .map(({ to }) => ({ kind: 'PASSES', from, to, via })),
    );
}
