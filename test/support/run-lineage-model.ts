import fc from 'fast-check';
import { datasetVersionUrn, runUrn } from '#graph-schema';
import type { LineageDirection } from '../../graph-store/lineage-types.js';
import type { TestGraph } from './graph.js';

interface RunModelNode {
  readonly urn: string;
  readonly isDeleted: boolean;
}

interface RunModelEdge {
  readonly kind: 'READ' | 'WROTE';
  readonly run: string;
  readonly version: string;
  readonly isDeleted: boolean;
}

interface RunModelGraph {
  readonly nodes: readonly RunModelNode[];
  readonly edges: readonly RunModelEdge[];
}

/** Runs of a random graph, and versions too. */
const SIZE = 6;
/** Nodes of a random graph. */
export const RUN_GRAPH_SIZE = 2 * SIZE;

const rarely = fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const edges = fc.record({
  kind: fc.constantFrom('READ' as const, 'WROTE' as const),
  run: fc.nat(SIZE - 1),
  version: fc.nat(SIZE - 1),
  isDeleted: rarely,
});

export const runAt = (prefix: string, index: number): string => runUrn(`${prefix}-${index}`);
export const versionAt = (prefix: string, index: number): string => datasetVersionUrn(prefix, 'd', `v${index}`);

/** Runs and versions with so many links that rings, diamonds and runs that read what they write are common. */
export function runGraphs(prefixOf: () => string): fc.Arbitrary<RunModelGraph> {
  return fc
    .record({
      deleted: fc.array(rarely, { minLength: RUN_GRAPH_SIZE, maxLength: RUN_GRAPH_SIZE }),
      edges: fc.uniqueArray(edges, {
        selector: ({ kind, run, version }) => `${kind} ${run} ${version}`,
        minLength: 12,
        maxLength: 28,
      }),
    })
    .map(({ deleted, edges }) => {
      const prefix = prefixOf();
      const urn = (place: number) => (place < SIZE ? runAt(prefix, place) : versionAt(prefix, place - SIZE));
      return {
        nodes: deleted.map((isDeleted, place) => ({ urn: urn(place), isDeleted })),
        edges: edges.map((edge) => ({ ...edge, run: urn(edge.run), version: urn(SIZE + edge.version) })),
      };
    });
}

/** Writes a graph as those who write runs do. */
export async function writeRuns(graph: TestGraph, { nodes, edges }: RunModelGraph): Promise<void> {
  await graph.query(
    `UNWIND $nodes AS row
     CREATE (n:Entity {urn: row.urn, name: row.urn, version: 1})
     SET n.deletedAt = CASE WHEN row.isDeleted THEN datetime() END,
       n:$(CASE WHEN row.urn STARTS WITH 'nucleus:run:' THEN 'Run' ELSE 'DatasetVersion' END)`,
    { nodes },
  );
  await graph.query(
    `UNWIND $edges AS row
     MATCH (r:Entity {urn: row.run}) MATCH (v:Entity {urn: row.version})
     CREATE (r)-[e:$(row.kind)]->(v)
     SET e.deletedAt = CASE WHEN row.isDeleted THEN datetime() END`,
    { edges },
  );
}

interface RunModelAnswer {
  /** `urn@depth`, nearest first, then by urn. */
  readonly nodes: readonly string[];
  /** `kind from to` as the data flows, sorted. */
  readonly edges: readonly string[];
}

export const runEdgeText = ({ kind, from, to }: { kind: string; from: string; to: string }): string =>
  `${kind} ${from} ${to}`;

/** What a walk over runs promises, in memory. Null where the start is deleted. */
export function walkInMemory(
  { nodes, edges }: RunModelGraph,
  asked: { readonly urn: string; readonly direction: LineageDirection; readonly depth: number | undefined },
): RunModelAnswer | null {
  const there = new Set(nodes.filter(({ isDeleted }) => !isDeleted).map(({ urn }) => urn));
  if (!there.has(asked.urn)) return null;
  const flows = edges
    .filter(({ run, version, isDeleted }) => !isDeleted && there.has(run) && there.has(version))
    .map(({ kind, run, version }) =>
      kind === 'READ' ? { kind, from: version, to: run } : { kind, from: run, to: version },
    );
  const distances = new Map<string, number>();
  for (const way of ['UPSTREAM', 'DOWNSTREAM'] as const) {
    if (asked.direction !== 'BOTH' && asked.direction !== way) continue;
    const own = new Map([[asked.urn, 0]]);
    const queue = [asked.urn];
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      const steps = (own.get(node) ?? 0) + 1;
      if (asked.depth !== undefined && steps > 2 * asked.depth) continue;
      for (const { from, to } of flows) {
        const [near, far] = way === 'DOWNSTREAM' ? [from, to] : [to, from];
        if (near !== node || own.has(far)) continue;
        own.set(far, steps);
        queue.push(far);
      }
    }
    for (const [urn, steps] of own) distances.set(urn, Math.min(steps, distances.get(urn) ?? steps));
  }
  return {
    nodes: [...distances]
      .sort(([a, left], [b, right]) => left - right || (a < b ? -1 : 1))
      .map(([urn, steps]) => `${urn}@${Math.ceil(steps / 2)}`),
    edges: flows
      .filter(({ from, to }) => distances.has(from) && distances.has(to))
      .map(runEdgeText)
      .sort(),
  };
}
