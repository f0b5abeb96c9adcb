import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BatchRefused,
  type GraphBatch,
  Neo4jGraphStore,
  WRITE_LIMITS,
  type WriteOptions,
  type WriteReceipt,
} from '#graph-store';
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
    const [later] = await graph.query(
      'MATCH (c:Change {actor: $actor}) WHERE c.sequence > $sequence RETURN count(c) AS changes',
      { actor: PREFIX, sequence: first.sequence },
    );
    expect(later?.changes).toBe(0);
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

describe('a batch of what is there already', () => {
  // More than are looked at first, so that what differs is not among those.
  const ROWS = 500;
  const entities = (name: string) =>
    Array.from({ length: ROWS }, (_, row) => dataset(`${name}-${row}`, { properties: { row } }));
  const edges = (name: string) =>
    Array.from({ length: ROWS - 1 }, (_, row) => ({
      kind: 'FEEDS' as const,
      from: urnOf(`${name}-${row}`),
      to: urnOf(`${name}-${row + 1}`),
      properties: { row },
    }));
  const changed = (receipt: WriteReceipt) =>
    [...receipt.entities, ...receipt.edges].flatMap((result, place) =>
      result.outcome === 'unchanged' ? [] : [[place, result.outcome, result.version]],
    );

  it('has no change, and tells the version of each', async () => {
    const batch = { entities: entities('same'), edges: edges('same') };
    await write(batch);
    await write({ entities: [dataset('same-3', { properties: { row: -3 } })] });
    await write({ entities: [dataset('same-3', { properties: { row: 3 } })] });
    const again = await write(batch);
    expect(again).toMatchObject({ sequence: null, transactions: 1 });
    expect(changed(again)).toEqual([]);
    expect(again.entities.map(({ version }) => version)).toEqual(batch.entities.map((_, row) => (row === 3 ? 3 : 1)));
    expect(new Set(again.edges.map(({ version }) => version))).toEqual(new Set([1]));
  });

  it('is written where it differs: a value, a deleted node, a node and an edge that are not there', async () => {
    const batch = { entities: entities('mixed'), edges: edges('mixed') };
    await write({ ...batch, entities: batch.entities.slice(0, -1), edges: batch.edges.slice(0, -1) });
    await write({
      entities: [dataset('mixed-7', { properties: { row: 0 } })],
      deletions: [{ urn: urnOf('mixed-21') }],
      edgeDeletions: [{ kind: 'FEEDS', from: urnOf('mixed-33'), to: urnOf('mixed-34') }],
    });
    const receipt = await write(batch);
    expect(changed(receipt)).toEqual([
      [7, 'updated', 3],
      [21, 'revived', 3],
      [ROWS - 1, 'created', 1],
      [ROWS + 33, 'revived', 3],
      [2 * ROWS - 2, 'created', 1],
    ]);
    expect(changed(await write(batch))).toEqual([]);
  });

  it('is refused as a whole where a version is stale or an end is missing', async () => {
    const batch = { entities: entities('stale'), edges: edges('stale') };
    await write(batch);
    const stale = batch.entities.map((entity, row) => (row === 9 ? { ...entity, ifVersion: 4 } : entity));
    await expect(write({ entities: stale })).rejects.toMatchObject({ items: [{ refusal: { code: 'CONFLICT' } }] });
    const nowhere = { kind: 'FEEDS' as const, from: urnOf('stale-1'), to: urnOf('nowhere') };
    await expect(write({ edges: [...batch.edges, nowhere] }, { missingEnds: 'refuse' })).rejects.toMatchObject({
      items: [{ index: ROWS - 1, refusal: { code: 'NOT_FOUND' } }],
    });
  });
});

describe('a change that is too long to be kept as text', () => {
  const description = 'secret'.repeat(50);
  const rows = (name: string) =>
    Array.from({ length: 100 }, (_, row) => dataset(`${name}-${row}`, { properties: { description, row } }));
  const kept = (sequence: number | null) =>
    graph.query('MATCH (c:Change {sequence: $sequence}) RETURN c.items AS items, c.size AS size', { sequence });

  it('is read as it was written', async () => {
    const { sequence } = await write({ entities: rows('long') });
    const [row = {}] = await kept(sequence);
    expect(row.items).toBeInstanceOf(Int8Array);
    expect((row.items as Int8Array).length).toBeLessThan(Number(row.size) / 5);
    const [change] = await graph.log.read({ after: (sequence ?? 0) - 1, upTo: sequence ?? 0, limit: 1 });
    expect(change?.items.map(({ urn, after }) => [urn, after])).toEqual(
      rows('long').map(({ urn, name, properties }) => [urn, { ...properties, name }]),
    );
    const [entry] = await graph.log.history(urnOf('long-42'), { limit: 1 });
    expect(entry?.item.after).toMatchObject({ row: 42, description });
  });

  it('loses what is purged, and nothing else', async () => {
    const { sequence } = await write({ entities: rows('purged') });
    await write({ purges: [{ urn: urnOf('purged-42') }] });
    const [change] = await graph.log.read({ after: (sequence ?? 0) - 1, upTo: sequence ?? 0, limit: 1 });
    const gone = change?.items.filter(({ after }) => Object.keys(after).length === 0);
    expect(gone?.map(({ urn }) => urn)).toEqual([urnOf('purged-42')]);
    expect(change?.items).toHaveLength(100);
  });
});
