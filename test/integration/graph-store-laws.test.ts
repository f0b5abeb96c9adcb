import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn } from '#graph-schema';
import { BatchRefused, type Change, type ChangeItem, type WriteReceipt } from '#graph-store';
import { wholeLog } from '../support/change-log.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { callOf, type RandomWrite, randomWrites } from '../support/graph-batches.js';
import { edgeName, GraphModel, LISTS, type ModelAnswer, type ModelThing, shortResult } from '../support/graph-model.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('laws');
const CONTEXT = { actor: PREFIX };

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const urnOf = (space: string, name: string) => datasetUrn(`${PREFIX}-${space}`, name);

/** The answer of the store in the words of the model. */
async function answerOf(write: Promise<WriteReceipt>): Promise<ModelAnswer & { receipt?: WriteReceipt }> {
  try {
    const receipt = await write;
    const results = LISTS.flatMap((list) => receipt[list].map((result, index) => shortResult(list, index, result)));
    return { refused: undefined, results, items: [], receipt };
  } catch (error) {
    if (!(error instanceof BatchRefused)) throw error;
    return { refused: error.items.map(({ list, index, refusal }) => ({ list, index, outcome: refusal.code })) };
  }
}

const byPlace = (a: { list: string; index: number }, b: { list: string; index: number }) =>
  a.list === b.list ? a.index - b.index : a.list < b.list ? -1 : 1;

type Things = Record<string, ModelThing>;

const thingsOf = ({ nodes, edges }: Pick<GraphModel, 'nodes' | 'edges'>): Things =>
  Object.fromEntries([...nodes, ...[...edges].map(([key, { ends: _, ...thing }]) => [key, thing] as const)]);

async function stored(space: string): Promise<Things> {
  const rows = await graph.query(
    `MATCH (n:Entity) WHERE n.urn STARTS WITH $prefix
     RETURN n.urn AS name, properties(n) AS found
     UNION ALL
     MATCH (a:Entity)-[r]->(b:Entity) WHERE a.urn STARTS WITH $prefix
     RETURN a.urn + ' -' + type(r) + '-> ' + b.urn AS name, properties(r) AS found`,
    { prefix: urnOf(space, 'x').slice(0, -1) },
  );
  expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
  return Object.fromEntries(
    rows.map(({ name, found }) => {
      const { version, deletedAt, p, q, name: caption } = found as Record<string, unknown>;
      return [
        String(name),
        { values: present({ p, q, name: caption }), version: Number(version), deleted: !!deletedAt },
      ];
    }),
  );
}

const present = (values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

/** The graph as a reader of the change log would build it. */
function replayed(changes: readonly Change[]): Things {
  const model = new GraphModel();
  for (const { urn, to, kind, operation, version, after } of changes.flatMap((change) => change.items)) {
    if (operation === 'purged') {
      model.nodes.delete(urn);
      for (const [key, { ends }] of model.edges) if (ends.includes(urn)) model.edges.delete(key);
      continue;
    }
    const name = to === undefined ? urn : edgeName({ kind: kind as 'FEEDS', from: urn, to });
    const before = (to === undefined ? model.nodes : model.edges).get(name);
    const { deletedAt = null, ...values } = { ...(operation === 'created' ? {} : before?.values), ...after };
    const thing = { values: present(values), version, deleted: deletedAt !== null };
    if (to === undefined) model.nodes.set(name, thing);
    else model.edges.set(name, { ...thing, ends: [urn, to] });
    for (const end of to === undefined ? [] : [urn, to]) {
      if (!model.nodes.has(end)) {
        model.nodes.set(end, { values: { name: end.slice(end.lastIndexOf(':') + 1) }, version: 0, deleted: false });
      }
    }
  }
  return thingsOf(model);
}

/** What the log says of one node since it was last purged, the latest first. */
function changesOf(urn: string, changes: readonly Change[]): [number, ChangeItem][] {
  const all = changes.flatMap(({ sequence, items }) =>
    items
      .filter((item) => item.urn === urn && item.to === undefined)
      .map((item): [number, ChangeItem] => [sequence, item]),
  );
  return all.slice(all.findLastIndex(([, item]) => item.operation === 'purged') + 1).reverse();
}

async function wholeHistory(urn: string): Promise<[number, ChangeItem][]> {
  const entries = [];
  for (let before: string | undefined; ; before = entries.at(-1)?.change.id) {
    const page = await graph.log.history(urn, { limit: 2, before });
    entries.push(...page);
    if (page.length < 2) return entries.map(({ change, item }) => [change.sequence, item]);
  }
}

/** Items that hold properties of what was purged later. */
function toldOfPurged(changes: readonly Change[]): ChangeItem[] {
  const purged = new Set<string>();
  return changes.toReversed().flatMap(({ items }) => {
    const told = items.filter(
      (item) =>
        (purged.has(item.urn) || purged.has(item.to ?? '')) &&
        Object.keys({ ...item.before, ...item.after }).length > 0,
    );
    for (const item of items) if (item.operation === 'purged') purged.add(item.urn);
    return told;
  });
}

/** Writes one after the other, each compared with the model, then the whole of what they have left. */
async function expectModelled(space: string, writes: readonly RandomWrite[]): Promise<void> {
  const model = new GraphModel();
  const context = { actor: `${PREFIX}-${space}` };
  const start = await graph.log.head();
  for (const [number, write] of writes.entries()) {
    const { batch, options } = callOf(write, (name) => urnOf(space, name), model);
    const keyed = write.repeated ? { ...options, idempotencyKey: String(number) } : options;
    const expected = model.write(batch, options);
    const { receipt, ...actual } = await answerOf(graph.store.write(batch, context, keyed));
    if (expected.refused !== undefined || actual.refused !== undefined) {
      expect(actual.refused?.toSorted(byPlace)).toEqual(expected.refused?.toSorted(byPlace));
      continue;
    }
    expect(actual.results.toSorted(byPlace)).toEqual(expected.results.toSorted(byPlace));
    const sequence = receipt?.sequence ?? null;
    const logged = sequence === null ? [] : await graph.log.read({ after: sequence - 1, upTo: sequence, limit: 1 });
    expect(
      logged.flatMap(({ items }) =>
        items.map(({ operation, urn, kind, to, version }) => ({
          operation,
          thing: to === undefined ? urn : edgeName({ kind: kind as 'FEEDS', from: urn, to }),
          version,
        })),
      ),
    ).toEqual(expected.items);
    if (write.repeated) {
      expect(await graph.store.write(batch, context, keyed)).toEqual({ ...receipt, replayed: true });
    }
  }
  const found = await stored(space);
  expect(found).toEqual(thingsOf(model));
  const mine = (await wholeLog(graph.log, start)).filter((change) => change.actor === context.actor);
  expect(replayed(mine)).toEqual(found);
  for (const urn of model.nodes.keys()) expect(await wholeHistory(urn)).toEqual(changesOf(urn, mine));
  expect(toldOfPurged(mine)).toEqual([]);
}

describe('the graph store', () => {
  it('does what its model does, for any batches one after the other', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(randomWrites, async (writes) => {
        round += 1;
        await expectModelled(`model${round}`, writes);
      }),
      { numRuns: 30 },
    );
  });

  it('numbers the changes of 8 writers without a gap, in commit order, and lets no deadlock through', async () => {
    const WRITERS = 8;
    const WRITES = 25;
    const hot = ['a', 'b', 'c', 'd'].map((name) => urnOf('hot', name));
    const writer = async (id: number): Promise<WriteReceipt[]> => {
      const receipts: WriteReceipt[] = [];
      for (let count = 1; count <= WRITES; count += 1) {
        // Each writer names the nodes in another order: only locks taken in one order keep them from deadlock.
        const order = hot.map((_, index) => hot[(index * (id % 2 === 0 ? 1 : 3) + id) % hot.length] ?? '');
        receipts.push(
          await graph.store.write(
            {
              entities: order.map((urn) => ({
                kind: 'Dataset',
                urn,
                name: 'hot',
                properties: { last: `${id}/${count}` },
              })),
              edges: order.slice(1).map((to, index) => ({
                kind: 'FEEDS',
                from: order[index] ?? '',
                to,
                properties: { last: `${id}/${count}` },
              })),
            },
            CONTEXT,
          ),
        );
      }
      return receipts;
    };
    const start = await graph.log.head();
    const receipts = (await Promise.all(Array.from({ length: WRITERS }, (_, id) => writer(id)))).flat();
    const end = await graph.log.head();

    const log = (await wholeLog(graph.log, start)).filter((change) => change.sequence <= end);
    expect(log.map((change) => change.sequence)).toEqual(Array.from({ length: end - start }, (_, i) => start + 1 + i));
    const mine = log.filter((change) => change.items.some((item) => item.urn === hot[0]));
    expect(mine.map((change) => change.sequence)).toEqual(
      receipts.map((receipt) => receipt.sequence).sort((a, b) => Number(a) - Number(b)),
    );
    // Versions are made under the node's lock, so their order is the order in which the writes took effect.
    for (const urn of hot) {
      const versions = mine.flatMap((change) => change.items.filter((item) => item.urn === urn && !item.to));
      expect(versions.map((item) => item.version)).toEqual(Array.from({ length: WRITERS * WRITES }, (_, i) => i + 1));
    }
  });

  it('lets a node be purged while others write it, and refuses nobody for it', async () => {
    const urn = urnOf('purged', 'a');
    const write = (count: number) =>
      graph.store.upsertEntity({ kind: 'Dataset', urn, name: 'a', properties: { count } }, CONTEXT);
    const purge = () => graph.store.write({ purges: [{ urn }] }, CONTEXT, { atomic: false });
    const many = async (work: (count: number) => Promise<WriteReceipt>) => {
      for (let count = 0; count < 20; count += 1) await work(count);
    };
    await Promise.all([many(write), many(write), many(write), many(purge), many(purge)]);
    await purge();
    expect(await stored('purged')).toEqual({});
    expect((await write(1)).entities).toMatchObject([{ outcome: 'created', version: 1 }]);
  });
});
