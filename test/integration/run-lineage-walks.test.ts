import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetVersionUrn, runUrn } from '#graph-schema';
import { Neo4jLineageReader } from '../../graph-store/lineage-reader.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { allRunParts, compareRunWalks } from '../support/run-lineage-laws.js';
import { runAt, versionAt, writeRuns } from '../support/run-lineage-model.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('run-walks');

let graph: TestGraph;
let reader: Neo4jLineageReader;
beforeAll(async () => {
  graph = await openSharedGraph();
  reader = new Neo4jLineageReader(graph.driver);
});
afterAll(() => graph[Symbol.asyncDispose]());

let graphs = 0;
const nextPrefix = (): string => `${PREFIX}-${graphs++}`;

describe('a walk over runs', () => {
  // Few of them; the long form, with another seed each time, is in test/soak.
  it('finds what a search in memory finds, at once and in parts', async () => {
    const inParts = await compareRunWalks(graph, { prefixOf: nextPrefix, graphs: 3, walks: 5, seed: 11 });
    expect(inParts).toBeGreaterThan(3);
  });

  it('of a version that 5,000 runs have read is told in parts, and names the hub', async () => {
    const hub = datasetVersionUrn(nextPrefix(), 'bad', 'v');
    await graph.query(
      `CREATE (h:Entity:DatasetVersion {urn: $hub, name: 'bad', version: 1})
       WITH h UNWIND range(1, 5000) AS i
       CREATE (h)<-[:READ]-(:Entity:Run {urn: $run + i, name: 'reader', version: 1})`,
      { hub, run: runUrn(`${nextPrefix()}-`) },
    );
    const walk = { urn: hub, direction: 'DOWNSTREAM', maxNodes: 3_000, maxEdges: 2_500 } as const;
    const { truncated } = await reader.runs({ ...walk, maxEdges: 5_000 });
    expect(truncated).toMatchObject({ reason: 'hub', hub: { urn: hub, neighbours: 5_000 } });
    const { nodes, edges } = await allRunParts(reader, walk);
    expect({ nodes: nodes.length, of: new Set(nodes.map(({ urn }) => urn)).size }).toEqual({ nodes: 5_001, of: 5_001 });
    expect({ edges: edges.length, of: new Set(edges.map(({ to }) => to)).size }).toEqual({ edges: 5_000, of: 5_000 });
  });

  it('whose deadline passes on the way leaves what was found, and the next part goes on from there', async () => {
    const prefix = nextPrefix();
    const places = [0, 1, 2, 3, 4, 5];
    await writeRuns(graph, {
      nodes: places.flatMap((index) => [runAt, versionAt].map((of) => ({ urn: of(prefix, index), isDeleted: false }))),
      edges: places.flatMap((index) => {
        const [run, version] = [runAt(prefix, index), versionAt(prefix, index)];
        const wrote = { kind: 'WROTE' as const, run, version, isDeleted: false };
        const read = { kind: 'READ' as const, run, version: versionAt(prefix, index - 1), isDeleted: false };
        return index === 0 ? [wrote] : [wrote, read];
      }),
    });
    let seconds = 0;
    const hasty = new Neo4jLineageReader(graph.driver, { now: () => 1_000 * seconds++ });
    const walk = { urn: runAt(prefix, 0), direction: 'DOWNSTREAM' } as const;
    const first = await hasty.runs({ ...walk, deadlineMs: 9_000 });
    expect(first.truncated?.reason).toBe('deadline');
    expect(first.nodes.length).toBeLessThan(12);
    const rest = await reader.runs({ ...walk, after: first.truncated?.next });
    const whole = await reader.runs(walk);
    expect([...first.nodes, ...rest.nodes]).toEqual(whole.nodes);
    expect([...first.edges, ...rest.edges]).toEqual(whole.edges);
    let calls = 0;
    const late = new Neo4jLineageReader(graph.driver, { now: () => 1e9 * calls++ });
    const after = first.truncated?.next;
    await expect(late.runs({ ...walk, after, maxNodes: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});
