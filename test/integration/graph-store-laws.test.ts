import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn } from '#graph-schema';
import type { GraphBatch, PropertyPatch, WriteReceipt } from '#graph-store';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('laws');
const CONTEXT = { actor: PREFIX };

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const urnOf = (space: string, name: string) => datasetUrn(`${PREFIX}-${space}`, name);

interface ModelNode {
  properties: Record<string, unknown>;
  version: number;
  deleted: boolean;
}
/** By urn for nodes, by both urns for edges. */
type Model = Map<string, ModelNode>;

const names = fc.constantFrom('a', 'b', 'c');
const patches = fc.dictionary(
  fc.constantFrom('p', 'q'),
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom('x', 'y'), fc.constant(null)),
  { noNullPrototype: true },
) as fc.Arbitrary<PropertyPatch>;
const plans = fc.record({
  entities: fc.uniqueArray(fc.tuple(names, patches), { selector: ([name]) => name, maxLength: 3 }),
  edges: fc.uniqueArray(fc.tuple(names, names, patches), { selector: ([a, b]) => a + b, maxLength: 3 }),
  delete: fc.option(names),
});
type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

/** The batch of a plan, without a deletion that the store would refuse. */
function batchOf(space: string, plan: Plan, model: Model): GraphBatch {
  const deletion = plan.delete === null ? undefined : urnOf(space, plan.delete);
  const present = deletion === undefined ? undefined : model.get(deletion);
  const deletable =
    present !== undefined &&
    present.version > 0 &&
    !present.deleted &&
    !plan.entities.some(([name]) => name === plan.delete);
  return {
    entities: plan.entities.map(([name, properties]) => ({
      kind: 'Dataset',
      urn: urnOf(space, name),
      name,
      properties,
    })),
    edges: plan.edges.map(([from, to, properties]) => ({
      kind: 'FEEDS',
      from: urnOf(space, from),
      to: urnOf(space, to),
      properties,
    })),
    deletions: deletable && deletion !== undefined ? [deletion] : [],
  };
}

const ABSENT: ModelNode = { properties: {}, version: 0, deleted: false };

/** What the store promises, in a few lines: a version grows exactly when something differs. Answers whether anything did. */
function applyToModel(model: Model, batch: GraphBatch): boolean {
  let changed = false;
  const put = (key: string, patch: PropertyPatch, deleted: boolean) => {
    const present = model.get(key) ?? ABSENT;
    const properties = Object.fromEntries(
      Object.entries({ ...present.properties, ...patch }).filter(([, value]) => value !== null),
    );
    const same = present.version > 0 && present.deleted === deleted && equal(properties, present.properties);
    if (!same) model.set(key, { properties, version: present.version + 1, deleted });
    changed ||= !same;
  };
  for (const { from, to } of batch.edges ?? []) {
    for (const urn of [from, to]) if (!model.has(urn)) model.set(urn, ABSENT);
  }
  for (const { urn, properties } of batch.entities ?? []) put(urn, properties ?? {}, false);
  for (const urn of batch.deletions ?? []) put(urn, {}, true);
  for (const { from, to, properties } of batch.edges ?? []) put(`${from} ${to}`, properties ?? {}, false);
  return changed;
}

const equal = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

async function stored(space: string): Promise<Model> {
  const rows = await graph.query(
    `MATCH (n:Entity) WHERE n.urn STARTS WITH $prefix
     RETURN n.urn AS key, properties(n) AS found
     UNION ALL
     MATCH (a:Entity)-[r:FEEDS]->(b:Entity) WHERE a.urn STARTS WITH $prefix
     RETURN a.urn + ' ' + b.urn AS key, properties(r) AS found`,
    { prefix: urnOf(space, 'x').slice(0, -1) },
  );
  return new Map(
    rows.map(({ key, found }) => {
      const { p, q, version, deletedAt } = found as Record<string, unknown>;
      const properties = Object.fromEntries(Object.entries({ p, q }).filter(([, value]) => value !== undefined));
      return [String(key), { properties, version: Number(version), deleted: deletedAt !== undefined }];
    }),
  );
}

describe('the graph store', () => {
  it('does what its model does, for any batches one after the other', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(plans, { minLength: 1, maxLength: 6 }), async (sequence) => {
        round += 1;
        const space = `model${round}`;
        const model: Model = new Map();
        for (const plan of sequence) {
          const batch = batchOf(space, plan, model);
          const changed = applyToModel(model, batch);
          expect((await graph.store.write(batch, CONTEXT)).sequence !== null).toBe(changed);
          expect((await graph.store.write({ ...batch, deletions: [] }, CONTEXT)).sequence).toBeNull();
        }
        expect(sorted(await stored(space))).toEqual(sorted(model));
      }),
      { numRuns: 25 },
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

    const log = await graph.log.read({ after: start, upTo: end, limit: 100_000 });
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
});

const sorted = (model: Model) => [...model].sort(([a], [b]) => (a < b ? -1 : 1));
