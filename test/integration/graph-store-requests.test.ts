import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchRefused, type GraphBatch, Neo4jGraphStore, WRITE_LIMITS, type WriteOptions } from '#graph-store';
import { datasetsOf } from '../support/datasets.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('requests');
const CONTEXT = { actor: PREFIX };

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const { urnOf, dataset } = datasetsOf(PREFIX);
const write = (batch: GraphBatch, options?: WriteOptions) => graph.store.write(batch, CONTEXT, options);
const count = async (name: string) => {
  const [row] = await graph.query('MATCH (n:Entity) WHERE n.urn STARTS WITH $prefix RETURN count(n) AS nodes', {
    prefix: urnOf(name),
  });
  return row?.nodes;
};

describe('a batch over the bounds of a transaction', () => {
  const many = (name: string, length: number) =>
    Array.from({ length }, (_, row) => dataset(`${name}-${row}`, { properties: { row } }));

  it('is refused when it is to be written as a whole', async () => {
    await expect(write({ entities: many('whole', WRITE_LIMITS.items + 1) })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 'items', value: WRITE_LIMITS.items, actual: WRITE_LIMITS.items + 1 },
    });
    const text = 'x'.repeat(WRITE_LIMITS.bytes);
    await expect(write({ entities: [dataset('wide', { properties: { text } })] })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 'bytes', value: WRITE_LIMITS.bytes },
    });
    expect(await count('whole')).toBe(0);
  });

  it('is written in several transactions, and changes nothing when all of its 10,000 rows come again', async () => {
    const batch = { entities: many('split', 10_000) };
    const first = await write(batch, { atomic: false });
    expect(first.transactions).toBe(2);
    expect(new Set(first.entities.map(({ outcome, version }) => `${outcome} ${version}`))).toEqual(
      new Set(['created 1']),
    );
    expect(await count('split')).toBe(10_000);

    const again = await write(batch, { atomic: false });
    expect(again).toMatchObject({ sequence: null, transactions: 2 });
    expect(new Set(again.entities.map(({ outcome, version }) => `${outcome} ${version}`))).toEqual(
      new Set(['unchanged 1']),
    );
    const [logged] = await graph.query(
      'MATCH (c:Change {actor: $actor}) WHERE c.items CONTAINS $urn RETURN count(c) AS changes',
      { actor: PREFIX, urn: urnOf('split') },
    );
    expect(logged?.changes).toBe(2);
  });

  it('refuses the edges of an entity that an earlier transaction has refused', async () => {
    await write({ entities: [dataset('end')] });
    const entities = [dataset('refused', { ifVersion: 7 }), ...many('other', WRITE_LIMITS.items)];
    const edge = { kind: 'FEEDS', from: urnOf('refused'), to: urnOf('end') } as const;
    const receipt = await write({ entities, edges: [edge] }, { atomic: false });
    expect(receipt.entities[0]).toMatchObject({ outcome: 'refused', refusal: { code: 'CONFLICT' } });
    expect(receipt.edges).toMatchObject([{ outcome: 'refused', refusal: { code: 'NOT_FOUND', field: 'from' } }]);
    expect(await count('refused')).toBe(0);
  });

  it('refuses the one item that no transaction can hold, and writes the others', async () => {
    const text = 'x'.repeat(WRITE_LIMITS.bytes + 1);
    const receipt = await write(
      { entities: [dataset('too-large', { properties: { text } }), dataset('sound')] },
      { atomic: false },
    );
    expect(receipt.entities).toMatchObject([
      { outcome: 'refused', refusal: { code: 'BAD_USER_INPUT', details: { limit: 'bytes' } } },
      { outcome: 'created' },
    ]);
  });
});

describe('an item', () => {
  it('is refused for the value that cannot be stored, by its name', async () => {
    const batch = { entities: [dataset('sound-one'), dataset('nan', { properties: { size: Number.NaN } })] };
    await expect(write(batch)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      items: [{ list: 'entities', index: 1, urn: urnOf('nan'), refusal: { field: 'properties.size' } }],
    });
    expect((await write(batch, { atomic: false })).entities).toMatchObject([
      { outcome: 'created', version: 1 },
      { outcome: 'refused', version: 0, refusal: { code: 'BAD_USER_INPUT', field: 'properties.size' } },
    ]);
  });

  it('is refused without a required property, whether it was never there or is taken away', async () => {
    const required = ['owner'];
    await expect(write({ entities: [dataset('owned', { required })] })).rejects.toMatchObject({
      items: [{ refusal: { code: 'BAD_USER_INPUT', field: 'properties.owner' } }],
    });
    await write({ entities: [dataset('owned', { required, initial: { owner: 'a' } })] });
    await expect(write({ entities: [dataset('owned', { required, properties: { owner: null } })] })).rejects.toThrow(
      BatchRefused,
    );
    expect((await write({ entities: [dataset('owned', { required })] })).entities).toMatchObject([
      { outcome: 'unchanged', version: 1 },
    ]);
  });

  it('may have a property with a name that JavaScript objects have too', async () => {
    const entity = dataset('inherited', { properties: { constructor: 'c' }, initial: { toString: 't' } as never });
    expect((await write({ entities: [entity] })).entities).toMatchObject([{ outcome: 'created' }]);
    expect((await write({ entities: [entity] })).entities).toMatchObject([{ outcome: 'unchanged' }]);
  });
});

describe('a request with an idempotency key', () => {
  const counted = (name: string) => ({ entities: [dataset(name, { properties: { at: name }, ifVersion: 0 })] });

  it('is done once, also when it comes several times at once, and answered alike', async () => {
    const receipts = await Promise.all(
      Array.from({ length: 4 }, () => write(counted('once'), { idempotencyKey: 'key-1' })),
    );
    expect(receipts.map((receipt) => receipt.replayed).sort()).toEqual([false, true, true, true]);
    const [first] = receipts;
    for (const receipt of receipts) expect({ ...receipt, replayed: false }).toEqual({ ...first, replayed: false });
    expect(first).toMatchObject({ sequence: expect.any(Number), entities: [{ outcome: 'created', version: 1 }] });
  });

  it('is a conflict with another batch, and another request of another actor', async () => {
    await write(counted('mine'), { idempotencyKey: 'key-2' });
    await expect(write(counted('other'), { idempotencyKey: 'key-2' })).rejects.toMatchObject({ code: 'CONFLICT' });
    const theirs = await graph.store.write(counted('theirs'), { actor: `${PREFIX}-2` }, { idempotencyKey: 'key-2' });
    expect(theirs).toMatchObject({ replayed: false, entities: [{ outcome: 'created' }] });
  });

  it('can be tried again after it was refused', async () => {
    const batch = { entities: [dataset('retried', { properties: { x: 1 }, ifVersion: 1 })] };
    await expect(write(batch, { idempotencyKey: 'key-3' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await write({ entities: [dataset('retried')] });
    expect(await write(batch, { idempotencyKey: 'key-3' })).toMatchObject({ replayed: false });
  });

  it('tells refusals again when it was split', async () => {
    const batch = { entities: [dataset('kept', { ifVersion: 3 }), dataset('kept-2')] };
    const options = { atomic: false, idempotencyKey: 'key-4' };
    const first = await write(batch, options);
    expect(first.entities).toMatchObject([
      { outcome: 'refused', refusal: { code: 'CONFLICT' } },
      { outcome: 'created' },
    ]);
    expect(await write(batch, options)).toEqual({ ...first, replayed: true });
  });
});

describe('a writer that is told of its commits', () => {
  it('hears of each change once, and not of what changes nothing', async () => {
    const heard: number[] = [];
    const store = new Neo4jGraphStore(graph.driver, { onCommit: (sequence) => heard.push(sequence) });
    const { sequence } = await store.upsertEntity(dataset('heard'), CONTEXT);
    await store.upsertEntity(dataset('heard'), CONTEXT);
    expect(heard).toEqual([sequence]);
  });
});
