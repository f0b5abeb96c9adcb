import type { EdgeUpsert } from '#graph-store';
import { bareProperties, CONTEXT, datasets, edges, type GraphBench, inBatches, openGraph, ROWS } from './graph-rows.js';
import { defineBenchmark, type RatioCase, type Round } from './harness/index.js';

const BARE_MERGE = `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
MATCH (b:Entity {urn: row.to})
MERGE (a)-[r:DERIVES]->(b)
SET r += row.properties`;

const WRITERS = 8;

type Rows = EdgeUpsert[];
type Write = (env: GraphBench, rows: Rows) => () => Promise<void>;

const ours: Write =
  ({ store }, rows) =>
  async () => {
    for (const batch of inBatches(rows)) await store.write({ edges: batch }, CONTEXT);
  };

const bare: Write = ({ driver }, rows) => {
  const batches = inBatches(
    rows.map(({ from, to, properties }) => ({ from, to, properties: bareProperties(properties) })),
  );
  // In a retried transaction, as the store does it: bare writers of the same nodes run into deadlocks.
  return async () => {
    for (const batch of batches) await driver.executeQuery(BARE_MERGE, { rows: batch });
  };
};

/** Puts the nodes there first, through the store for both sides. */
async function nodesOf(round: Round<GraphBench>, namespace: string) {
  const nodes = datasets(`${namespace}-${round.number}`, round.quick ? ROWS.quick : ROWS.full);
  for (const entities of inBatches(nodes)) await round.env.store.write({ entities }, CONTEXT);
  return nodes;
}

/** @param editions those of the edges that are there before, and of those that are written while the clock runs */
function upsert(name: string, atLeast: number, editions: { before?: number; timed: number }): RatioCase<GraphBench> {
  const side = (of: string, write: Write) => async (round: Round<GraphBench>) => {
    const nodes = await nodesOf(round, `${of}-${name.replace(' ', '-')}`);
    if (editions.before !== undefined) await write(round.env, edges(nodes, 1, editions.before))();
    return round.time(nodes.length, write(round.env, edges(nodes, 1, editions.timed)));
  };
  return {
    kind: 'ratio',
    name,
    unit: 'edges',
    target: { atLeast },
    sides: { ours: side('ours', ours), baseline: side('bare', bare) },
  };
}

/** Each writer adds other edges to the same nodes, in small batches, so that locks meet. A surfaced deadlock ends the benchmark. */
function manyWriters(): RatioCase<GraphBench> {
  const side = (of: string, write: Write) => async (round: Round<GraphBench>) => {
    const nodes = (await nodesOf(round, `${of}-writers`)).slice(0, ROWS.quick);
    const work = Array.from({ length: WRITERS }, (_, writer) => {
      const rows = edges(nodes, 7 + writer);
      const parts = Array.from({ length: 10 }, (_, part) => rows.filter((_, row) => row % 10 === part));
      return parts.map((part) => write(round.env, part));
    });
    return round.time(WRITERS * nodes.length, () =>
      Promise.all(
        work.map(async (parts) => {
          for (const part of parts) await part();
        }),
      ),
    );
  };
  return {
    kind: 'ratio',
    name: `fresh, ${WRITERS} writers`,
    unit: 'edges',
    target: { atLeast: 0.65 },
    sides: { ours: side('ours', ours), baseline: side('bare', bare) },
  };
}

export const benchmark = defineBenchmark<GraphBench>({
  id: 'P2',
  name: 'edge-upsert',
  what: 'Upsert of edges with three properties through the graph store, in comparison with a bare UNWIND … MERGE of the same rows.',
  setUp: openGraph,
  cases: [
    upsert('fresh', 0.65, { timed: 1 }),
    upsert('all changed', 0.5, { before: 1, timed: 2 }),
    upsert('unchanged', 1.2, { before: 1, timed: 1 }),
    manyWriters(),
  ],
});
