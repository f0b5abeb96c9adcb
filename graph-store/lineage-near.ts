import neo4j from 'neo4j-driver';
import { type LineageEdgeDetail, type LineageWay, lineageNear } from '#graph-schema';
import { detailToRead, type RawEdge } from './lineage-edges.js';
import type { NodeRow } from './lineage-nodes.js';
import type { Reach } from './lineage-reach.js';
import { type CheckedWalk, isShown } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';
import { stepsAlong } from './lineage-steps.js';

/** A whole walk. */
export interface NearWalk {
  readonly reached: Reach;
  readonly nodes: ReadonlyMap<string, NodeRow>;
  readonly edges: readonly RawEdge[];
}

/** Lists with a value for each of some nodes. */
interface NearRow {
  readonly urns: readonly string[];
  readonly names: readonly string[];
  readonly labels: readonly string[];
  readonly placeholders: readonly boolean[];
  readonly deletions: readonly (string | null)[];
  readonly edges: readonly (readonly string[])[];
}

/**
 * A walk whose nodes all fit into one answer, by one statement. Level by level it would take a round trip for each of them, which
 * is most of what a small walk costs.
 *
 * @param detail how much is told of the edges
 * @returns undefined where there are more nodes than that; null where the urn names nothing in the view
 */
export async function readNear(
  read: BoundedRead,
  walk: CheckedWalk,
  detail: LineageEdgeDetail,
): Promise<NearWalk | null | undefined> {
  const { urn, level, view, ways, maxSteps, maxNodes } = walk;
  const statement = lineageNear({
    ...{ level, view: view.name, ways, detail: detailToRead(walk, detail) },
    maxSteps: Number.isFinite(maxSteps) ? maxSteps : null,
  });
  const rows = await read.run<NearRow>(statement, { ...view.parameters, urn, limit: neo4j.int(maxNodes + 1) });
  if (rows.length === 0) return null;
  const nodes = new Map(rows.flatMap(nodesOf).map((node) => [node.urn, node]));
  if (nodes.size === 0) return undefined;
  const [way = 'DOWNSTREAM'] = ways;
  const edges = rows.flatMap((row) => edgesOf(row, way));
  return { reached: { levels: levelsOf(walk, edges), stopped: null, lastFrontiers: new Map() }, nodes, edges };
}

function nodesOf({ urns, names, labels, placeholders, deletions }: NearRow): NodeRow[] {
  return urns.map((urn, index) => ({
    urn,
    name: names[index] ?? '',
    labels: labels[index]?.split('\n').slice(1) ?? [],
    placeholder: placeholders[index] ?? false,
    deletedAt: deletions[index] ?? null,
  }));
}

function edgesOf({ urns, edges }: NearRow, way: LineageWay): RawEdge[] {
  return urns.flatMap((near, index) =>
    (edges[index] ?? []).map((text) => {
      const [far = '', via = '', ...legs] = text.split('\n');
      return way === 'DOWNSTREAM' ? { from: near, to: far, via, legs } : { from: far, to: near, via, legs };
    }),
  );
}

/**
 * The distances that the search in Neo4j has not told. Each shortest way from the start runs within what was found, and so do
 * the edges of it.
 */
function levelsOf(walk: CheckedWalk, edges: readonly RawEdge[]): string[][] {
  const { urn, ways, level, maxSteps } = walk;
  const stepsOf = new Map([[urn, 0]]);
  // An edge from job to job stands for two stored ones.
  const stepsOfEdge = level === 'JOB' ? 2 : 1;
  for (const way of ways) {
    for (const [of, hops] of stepsAlong(urn, edges, way, maxSteps / stepsOfEdge)) {
      const step = hops * stepsOfEdge;
      stepsOf.set(of, Math.min(stepsOf.get(of) ?? step, step));
    }
  }
  const levels: string[][] = [];
  for (const [of, step] of stepsOf) {
    while (levels.length <= step) levels.push([]);
    if (step === 0 || isShown(walk, of)) levels[step]?.push(of);
  }
  return levels.map((urns) => urns.sort());
}
