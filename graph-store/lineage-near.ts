import neo4j from 'neo4j-driver';
import { lineageNear } from '#graph-schema';
import type { RawEdge } from './lineage-edges.js';
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

interface NearRow {
  readonly size: number;
  readonly nodes: readonly (readonly [string, string, readonly string[], boolean, string | null])[];
  readonly edges: readonly (readonly [string, string, string, readonly string[]])[];
}

/**
 * A walk whose nodes all fit into one answer, by one statement. Level by level it would take a round trip for each of them, which
 * is most of what a small walk costs.
 *
 * @returns undefined where there are more nodes than that; null where the urn names nothing in the view
 */
export async function readNear(read: BoundedRead, walk: CheckedWalk): Promise<NearWalk | null | undefined> {
  const { urn, level, view, ways, maxSteps, maxNodes } = walk;
  const statement = lineageNear(level, view.name, ways, Number.isFinite(maxSteps) ? maxSteps : null);
  const [row] = await read.run<NearRow>(statement, { ...view.parameters, urn, limit: neo4j.int(maxNodes + 1) });
  if (row === undefined || row.size === 0) return null;
  if (row.size > maxNodes) return undefined;
  const edges = row.edges.map(([from, to, via, legs]) => ({ from, to, via, legs }));
  const nodes = new Map(
    row.nodes.map(([of, name, labels, placeholder, deletedAt]) => [
      of,
      { urn: of, name, labels, placeholder, deletedAt },
    ]),
  );
  return { reached: { levels: levelsOf(walk, edges), stopped: null, lastFrontiers: new Map() }, nodes, edges };
}

/**
 * The distances that the search in Neo4j has not told. Each shortest way from the start runs within what was found, and so do
 * the edges of it.
 */
function levelsOf({ urn, ways, level, maxSteps, ...walk }: CheckedWalk, edges: readonly RawEdge[]): string[][] {
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
    if (step === 0 || isShown({ urn, ways, level, maxSteps, ...walk }, of)) levels[step]?.push(of);
  }
  return levels.map((urns) => urns.sort());
}
