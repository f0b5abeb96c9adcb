import fc from 'fast-check';
import { expect } from 'vitest';
import { Neo4jLineageReader } from '../../graph-store/lineage-reader.js';
import { LINEAGE_DIRECTIONS } from '../../graph-store/lineage-types.js';
import type {
  RunLineageEdge,
  RunLineageNode,
  RunLineageReader,
  RunLineageWalk,
} from '../../graph-store/run-lineage-types.js';
import type { TestGraph } from './graph.js';
import { partsOf } from './lineage-laws.js';
import { RUN_GRAPH_SIZE, runEdgeText, runGraphs, walkInMemory, writeRuns } from './run-lineage-model.js';

const askedWalks = fc.record({
  direction: fc.constantFrom(...LINEAGE_DIRECTIONS),
  depth: fc.constantFrom(1, 2, 3, undefined),
  start: fc.nat(RUN_GRAPH_SIZE - 1),
  maxNodes: fc.integer({ min: 2, max: 5 }),
  maxEdges: fc.integer({ min: 2, max: 7 }),
});

/**
 * Compares walks over random runs, at once and in parts, with a search in memory.
 *
 * @returns how many walks came in several parts: without such a run says little
 */
export async function compareRunWalks(
  graph: TestGraph,
  options: {
    readonly prefixOf: () => string;
    readonly graphs: number;
    readonly walks: number;
    readonly seed: number;
  },
): Promise<number> {
  const reader = new Neo4jLineageReader(graph.driver);
  const { graphs, walks, seed } = options;
  let inParts = 0;
  await fc.assert(
    fc.asyncProperty(
      runGraphs(options.prefixOf),
      fc.array(askedWalks, { minLength: walks, maxLength: walks }),
      async (model, asked) => {
        await writeRuns(graph, model);
        for (const { start, maxNodes, maxEdges, ...rest } of asked) {
          const walk = { ...rest, urn: model.nodes[start]?.urn ?? '' };
          const expected = walkInMemory(model, walk);
          if (expected === null) {
            await expect(reader.runs(walk)).rejects.toMatchObject({ code: 'NOT_FOUND' });
            continue;
          }
          const whole = await reader.runs(walk);
          expect(text(whole)).toEqual(expected);
          expect(whole.truncated).toBeNull();
          const { parts, ...added } = await allRunParts(reader, { ...walk, maxNodes, maxEdges });
          expect(added).toEqual({ nodes: whole.nodes, edges: whole.edges });
          if (parts > 1) inParts += 1;
        }
      },
    ),
    { numRuns: graphs, seed, endOnFailure: true },
  );
  return inParts;
}

const text = ({ nodes, edges }: { nodes: readonly RunLineageNode[]; edges: readonly RunLineageEdge[] }) => ({
  nodes: nodes.map(({ urn, depth }) => `${urn}@${depth}`),
  edges: edges.map(runEdgeText).sort(),
});

export function allRunParts(
  reader: RunLineageReader,
  walk: RunLineageWalk & { readonly maxNodes: number; readonly maxEdges: number },
) {
  return partsOf(walk, (after) => reader.runs({ ...walk, after }));
}
