import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { datasetUrn, formatUrn, LINEAGE_LEVELS, lineageNear } from '#graph-schema';
import { Neo4jLineageReader } from '../../graph-store/lineage-reader.js';
import type { LineageWalk } from '../../graph-store/lineage-types.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { INSTANTS, lineageGraphs, writeLineage } from '../support/lineage-graphs.js';
import { allParts, compareWalks } from '../support/lineage-laws.js';
import { edgeText, isEdge, type ModelEdge } from '../support/lineage-model.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('walks');

let graph: TestGraph;
let reader: Neo4jLineageReader;
beforeAll(async () => {
  graph = await openSharedGraph();
  reader = new Neo4jLineageReader(graph.driver);
});
afterAll(() => graph[Symbol.asyncDispose]());

let graphs = 0;
const nextNamespace = (): string => `${PREFIX}-${graphs++}`;

const refusalOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw error;
  return {
    code: error.code,
    problems: (error.details.problems as { field: string }[] | undefined)?.map((p) => p.field),
  };
};

describe('a walk', () => {
  // Few of them: on a fresh server most of the time goes into planning. The long form, with another seed each time, is in test/soak.
  it('finds what a search in memory finds, at once and in parts, in every view', async () => {
    const inParts = await compareWalks(graph, { namespaceOf: nextNamespace, graphs: 2, walks: 5, seed: 7 });
    expect(inParts).toBeGreaterThan(0);
  });

  it('tells for each edge when it was valid, so that the answer of EVER holds those of all times', async () => {
    await fc.assert(
      fc.asyncProperty(lineageGraphs(nextNamespace), async ({ nodes, edges }) => {
        await writeLineage(graph, { nodes, edges });
        const start = nodes[0]?.urn ?? '';
        const { edges: found } = await reader.walk({ urn: start, direction: 'BOTH', view: 'EVER' });
        const stored = new Map(edges.map((edge): [string, ModelEdge] => [edgeText(edge), edge]));
        for (const edge of found) {
          const source = stored.get(edgeText(edge));
          if (source === undefined) throw new Error(`no such edge: ${edgeText(edge)}`);
          const told = INSTANTS.filter((at) =>
            edge.intervals.some(({ from, to }) => from <= at && (to === null || at < to)),
          );
          expect(told).toEqual(INSTANTS.filter((at) => isEdge(source, { at })));
          expect(edge.current).toBe(isEdge(source, 'CURRENT'));
          const runs = edge.intervals.map(({ firstRun, lastRun }) => [firstRun, lastRun]);
          const named = (index: number) => [`nucleus:run:first-${index}`, `nucleus:run:last-${index}`];
          expect(runs).toEqual(runs.map((_, index) => (source.intervals === null ? [null, null] : named(index))));
        }
      }),
      { numRuns: 8 },
    );
  });
});

/** Data sets d0, d1, … with a job between each and the next. */
async function writeChain(namespace: string, length: number): Promise<(index: number) => string> {
  const urn = (index: number) => datasetUrn(namespace, `d${index}`);
  await graph.query(
    `UNWIND range(0, $length - 1) AS i
     CREATE (:Entity:Dataset {urn: $dataset + i, name: 'd' + i, version: 1})
     WITH i WHERE i < $length - 1
     CREATE (:Entity:Job {urn: $job + i, name: 'j' + i, version: 1})`,
    { length, dataset: urn(0).slice(0, -1), job: formatUrn('job', [namespace, 'j']) },
  );
  await graph.query(
    `UNWIND range(0, $length - 2) AS i
     MATCH (a:Entity {urn: $dataset + i}) MATCH (j:Entity {urn: $job + i}) MATCH (b:Entity {urn: $dataset + (i + 1)})
     CREATE (a)-[:FEEDS]->(j)-[:PRODUCES]->(b)`,
    { length, dataset: urn(0).slice(0, -1), job: formatUrn('job', [namespace, 'j']) },
  );
  return urn;
}

interface Plan {
  readonly operatorType: string;
  readonly children: readonly Plan[];
}

const operatorsOf = (plan: Plan | false): string[] =>
  plan === false ? [] : [plan.operatorType, ...plan.children.flatMap(operatorsOf)];

describe('the statement of a small walk', () => {
  it.each(LINEAGE_LEVELS)('is planned as a search that visits each node once, at level %s', async (level) => {
    const statement = lineageNear({
      level,
      view: 'AT',
      detail: 'WHOLE',
      ways: ['DOWNSTREAM', 'UPSTREAM'],
      maxSteps: 10,
    });
    const parameters = { urn: '', limit: 1, at: '', atTime: null };
    const { summary } = await graph.driver.executeQuery(`EXPLAIN ${statement}`, parameters);
    const operators = operatorsOf(summary.plan);
    expect(operators.filter((name) => name.startsWith('VarLength'))).toEqual(
      Array(2).fill('VarLengthExpand(Pruning,BFS,All)@neo4j'),
    );
    expect(operators.filter((name) => name.includes('Scan'))).toEqual([]);
  });
});

describe('a hub', () => {
  it('of 10,000 neighbours is told in parts of the size asked for, and named', async () => {
    const hub = datasetUrn(nextNamespace(), 'hub');
    await graph.query(
      `CREATE (h:Entity:Dataset {urn: $hub, name: 'hub', version: 1})
       WITH h UNWIND range(1, 10000) AS i
       CREATE (h)-[:FEEDS]->(:Entity:Job {urn: $job + i, name: 'reader', version: 1})`,
      { hub, job: formatUrn('job', [nextNamespace(), 'j']) },
    );
    const walk = { urn: hub, direction: 'DOWNSTREAM', maxNodes: 5_500, maxEdges: 5_000 } as const;
    const first = await reader.impact(walk);
    expect(first.rows).toHaveLength(5_500);
    expect(first.truncated).toMatchObject({ reason: 'hub', hub: { urn: hub, neighbours: 10_000 } });
    const { nodes, edges } = await allParts(reader, walk);
    expect(new Set(nodes.map(({ urn }) => urn)).size).toBe(10_001);
    expect(nodes).toHaveLength(10_001);
    expect(new Set(edges.map(({ to }) => to)).size).toBe(10_000);
  });

  it('that all flows into is told edge by edge where even its own edges do not fit', async () => {
    const namespace = nextNamespace();
    const [start, hub] = [datasetUrn(namespace, 'start'), datasetUrn(namespace, 'hub')];
    await graph.query(
      `CREATE (s:Entity:Dataset {urn: $start, name: 's', version: 1}), (h:Entity:Dataset {urn: $hub, name: 'h', version: 1})
       WITH s, h UNWIND range(1, 40) AS i
       CREATE (s)-[:FEEDS]->(:Entity:Job {urn: $job + i, name: 'j', version: 1})-[:PRODUCES]->(h)`,
      { start, hub, job: formatUrn('job', [namespace, 'j']) },
    );
    const walk = { urn: start, direction: 'DOWNSTREAM', maxNodes: 100, maxEdges: 7 } as const;
    expect((await reader.walk(walk)).truncated?.reason).toBe('edges');
    const { nodes, edges } = await allParts(reader, walk);
    expect(nodes).toHaveLength(42);
    expect(edges).toEqual((await reader.walk({ ...walk, maxEdges: 80 })).edges);
    expect(edges).toHaveLength(80);
  });
});

describe('a deadline', () => {
  it('that passes on the way leaves what was found, and the next part goes on from there', async () => {
    const urn = await writeChain(nextNamespace(), 11);
    let seconds = 0;
    const hasty = new Neo4jLineageReader(graph.driver, { now: () => 1_000 * seconds++ });
    const walk = { urn: urn(0), direction: 'DOWNSTREAM', maxNodes: 15 } as const;
    const first = await hasty.walk({ ...walk, deadlineMs: 9_000 });
    expect(first.truncated?.reason).toBe('deadline');
    expect(first.nodes.length).toBeGreaterThan(1);
    expect(first.nodes.length).toBeLessThan(15);
    const rest = await reader.walk({ ...walk, after: first.truncated?.next });
    const whole = await reader.walk({ ...walk, maxNodes: 100 });
    expect([...first.nodes, ...rest.nodes]).toEqual(whole.nodes);
    expect([...first.edges, ...rest.edges]).toEqual(whole.edges);
    expect(rest.truncated).toBeNull();
  });

  it('that passes before anything new is found is an error', async () => {
    const urn = await writeChain(nextNamespace(), 11);
    const walk = { urn: urn(0), direction: 'DOWNSTREAM', maxNodes: 3 } as const;
    const { truncated } = await reader.walk(walk);
    let calls = 0;
    const late = new Neo4jLineageReader(graph.driver, { now: () => 1e9 * calls++ });
    expect(await refusalOf(late.walk({ ...walk, after: truncated?.next }))).toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('a continuation', () => {
  it('belongs to one query, whose sizes may change', async () => {
    const urn = await writeChain(nextNamespace(), 6);
    const walk = { urn: urn(0), direction: 'DOWNSTREAM', maxNodes: 4 } as const;
    const { truncated } = await reader.walk(walk);
    const after = truncated?.next;
    expect(truncated?.reason).toBe('nodes');
    expect((await reader.walk({ ...walk, after, maxNodes: 100 })).nodes).toHaveLength(7);
    for (const other of [
      { urn: urn(1) },
      { direction: 'BOTH' },
      { depth: 2 },
      { view: 'EVER' },
      { level: 'FIELD' },
    ] as const) {
      expect(await refusalOf(reader.walk({ ...walk, ...other, after }))).toEqual({
        code: 'BAD_USER_INPUT',
        problems: ['after'],
      });
    }
    expect(await refusalOf(reader.walk({ ...walk, after: 'x' }))).toMatchObject({ problems: ['after'] });
  });
});

describe('paths', () => {
  it('are the shortest ones in the view', async () => {
    const namespace = nextNamespace();
    const urn = await writeChain(namespace, 4);
    const [left, right] = [formatUrn('job', [namespace, 'left']), formatUrn('job', [namespace, 'right'])];
    await graph.query(
      `MATCH (a:Entity {urn: $a}) MATCH (d:Entity {urn: $d})
       CREATE (a)-[:FEEDS]->(:Entity:Job {urn: $left, name: 'l', version: 1})-[:PRODUCES]->(d)
       CREATE (a)-[:FEEDS {validFrom: [$from], validTo: [$to], current: false}]->(:Entity:Job {urn: $right, name: 'r', version: 1})-[:PRODUCES]->(d)`,
      { a: urn(0), d: urn(2), left, right, from: INSTANTS[0], to: INSTANTS[3] },
    );
    const ends = { from: urn(0), to: urn(3) };
    const waysOf = async (view: LineageWalk['view']) =>
      (await reader.paths({ ...ends, view })).map(({ urns }) => urns[1] ?? '').sort();
    const chain = formatUrn('job', [namespace, 'j0']);
    expect(await waysOf('CURRENT')).toEqual([left]);
    expect(await waysOf('EVER')).toEqual([left, right]);
    expect(await reader.paths({ ...ends, depth: 1 })).toEqual([]);
    expect(await reader.paths({ from: urn(3), to: urn(0) })).toEqual([]);
    await graph.query('MATCH (n:Entity {urn: $left}) SET n.deletedAt = datetime()', { left });
    const [path] = await reader.paths(ends);
    expect(path?.urns).toContain(chain);
    expect(path?.edges.map(({ kind }) => kind)).toEqual([
      'FEEDS',
      'PRODUCES',
      'FEEDS',
      'PRODUCES',
      'FEEDS',
      'PRODUCES',
    ]);
    expect(await refusalOf(reader.paths({ from: urn(0), to: urn(0) }))).toMatchObject({ problems: ['to'] });
  });
});
