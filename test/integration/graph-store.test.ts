import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EntityKind, endpointUrn } from '#graph-schema';
import type { GraphBatch } from '#graph-store';
import { datasetsOf } from '../support/datasets.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('store');
const CONTEXT = { actor: PREFIX };

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const { urnOf, dataset } = datasetsOf(PREFIX);
const write = (batch: GraphBatch) => graph.store.write(batch, CONTEXT);

async function node(urn: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await graph.query('MATCH (n:Entity {urn: $urn}) RETURN n {.*, labels: labels(n)} AS n', { urn });
  return row?.n as Record<string, unknown> | undefined;
}

/** What this file has caused in the change log. */
const changes = () =>
  graph.query('MATCH (c:Change {actor: $actor}) RETURN c.sequence AS sequence, c.items AS items ORDER BY sequence', {
    actor: PREFIX,
  });

describe('a batch', () => {
  it('creates nodes and edges as one change, and changes nothing when it comes again', async () => {
    const batch: GraphBatch = {
      entities: [
        dataset('a', { properties: { rows: 1, tags: ['x'], at: new Date('2026-01-01T00:00:00Z'), ratio: 0.5 } }),
        dataset('b'),
      ],
      edges: [{ kind: 'HAS_VERSION', from: urnOf('a'), to: urnOf('b'), properties: { since: 1 } }],
    };
    const first = await write(batch);
    expect(first).toEqual({
      sequence: expect.any(Number),
      transactions: 1,
      replayed: false,
      entities: [
        { urn: urnOf('a'), outcome: 'created', version: 1 },
        { urn: urnOf('b'), outcome: 'created', version: 1 },
      ],
      edges: [{ urn: urnOf('a'), kind: 'HAS_VERSION', to: urnOf('b'), outcome: 'created', version: 1 }],
      deletions: [],
      edgeDeletions: [],
      purges: [],
    });
    expect(await node(urnOf('a'))).toMatchObject({ rows: 1, labels: ['Entity', 'Dataset'], version: 1 });
    const logged = await changes();
    expect(logged.map((change) => change.sequence)).toEqual([first.sequence]);
    expect(JSON.parse(String(logged[0]?.items))).toMatchObject([
      { operation: 'created', urn: urnOf('a'), kind: 'Dataset', version: 1, after: { name: 'a', rows: 1 } },
      { operation: 'created', urn: urnOf('b'), kind: 'Dataset', version: 1 },
      { operation: 'created', urn: urnOf('a'), kind: 'HAS_VERSION', to: urnOf('b'), version: 1, after: { since: 1 } },
    ]);

    expect(await write(batch)).toMatchObject({
      sequence: null,
      transactions: 1,
      entities: [
        { urn: urnOf('a'), outcome: 'unchanged', version: 1 },
        { urn: urnOf('b'), outcome: 'unchanged', version: 1 },
      ],
      edges: [{ urn: urnOf('a'), kind: 'HAS_VERSION', to: urnOf('b'), outcome: 'unchanged', version: 1 }],
    });
    expect(await changes()).toEqual(logged);
  });

  it('changes the given properties alone, removes those that are null, and logs what was there', async () => {
    await write({ entities: [dataset('partial', { properties: { kept: 'k', changed: 1, removed: true } })] });
    const { sequence } = await write({ entities: [dataset('partial', { properties: { changed: 2, removed: null } })] });
    expect(await node(urnOf('partial'))).toMatchObject({ kept: 'k', changed: 2, version: 2 });
    expect(await node(urnOf('partial'))).not.toHaveProperty('removed');
    const [change] = await graph.log.read({ after: (sequence ?? 0) - 1, upTo: sequence ?? 0, limit: 1 });
    expect(change).toMatchObject({
      actor: PREFIX,
      items: [
        {
          operation: 'updated',
          urn: urnOf('partial'),
          kind: 'Dataset',
          version: 2,
          before: { changed: 1, removed: true },
          after: { changed: 2, removed: null },
        },
      ],
    });
  });

  it('gives initial values only to a node that has none', async () => {
    const upsert = dataset('initial', { properties: { owner: 'a' }, initial: { state: 'IDLE', count: 0 } });
    await write({ entities: [upsert] });
    await write({ entities: [dataset('initial', { properties: { state: 'RUNNING' } })] });
    expect((await write({ entities: [upsert] })).sequence).toBeNull();
    expect(await node(urnOf('initial'))).toMatchObject({ state: 'RUNNING', count: 0 });
  });

  it('is refused whole when an expected version does not hold', async () => {
    await write({ entities: [dataset('versioned')] });
    const before = await changes();
    for (const ifVersion of [0, 2]) {
      const batch = {
        entities: [dataset('bystander'), dataset('versioned', { properties: { x: 1 }, ifVersion })],
        edges: [{ kind: 'FEEDS' as const, from: urnOf('versioned'), to: urnOf('bystander') }],
      };
      await expect(write(batch)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { urn: urnOf('versioned'), expected: ifVersion, actual: 1 },
      });
    }
    expect(await node(urnOf('bystander'))).toBeUndefined();
    expect(await node(urnOf('versioned'))).not.toHaveProperty('x');
    expect(await changes()).toEqual(before);

    expect(
      (await write({ entities: [dataset('versioned', { properties: { x: 1 }, ifVersion: 1 })] })).entities,
    ).toEqual([{ urn: urnOf('versioned'), outcome: 'updated', version: 2 }]);
  });

  it('creates with ifVersion 0 exactly once', async () => {
    const create = { entities: [dataset('only-once', { ifVersion: 0 })] };
    const outcomes = await Promise.allSettled([write(create), write(create), write(create)]);
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('is refused when it names a node twice', async () => {
    await expect(write({ entities: [dataset('twice'), dataset('twice')] })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { urn: urnOf('twice') },
    });
    await write({ entities: [dataset('upserted-and-deleted')] });
    for (const batch of [
      { entities: [dataset('upserted-and-deleted')], deletions: [{ urn: urnOf('upserted-and-deleted') }] },
      { deletions: [{ urn: urnOf('upserted-and-deleted') }, { urn: urnOf('upserted-and-deleted') }] },
    ]) {
      await expect(write(batch)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    }
    expect(await node(urnOf('twice'))).toBeUndefined();
    expect(await node(urnOf('upserted-and-deleted'))).toMatchObject({ version: 1 });
  });

  it('leaves no node and no gap in the log when it fails half-way', async () => {
    await write({ entities: [dataset('before-the-failure')] });
    const before = await changes();
    const failing = [
      { entities: [dataset('half'), dataset('other', { properties: { size: Number.NaN } })] },
      { entities: [dataset('half'), { ...dataset('other'), kind: 'Evil kind' as EntityKind }] },
      {
        entities: [dataset('half')],
        edges: [{ kind: 'EVIL LINK' as 'FEEDS', from: urnOf('half'), to: urnOf('other') }],
      },
      { entities: [dataset('half')], deletions: [{ urn: urnOf('never-existed') }] },
    ];
    for (const batch of failing) await expect(write(batch)).rejects.toThrow();
    for (const name of ['half', 'other', 'never-existed']) expect(await node(urnOf(name))).toBeUndefined();
    expect(await changes()).toEqual(before);

    const head = await graph.log.head();
    const log = await graph.log.read({ after: (before.at(-1)?.sequence as number) - 1, upTo: head, limit: 10_000 });
    expect(log.map((change) => change.sequence)).toEqual(log.map((_, index) => (log[0]?.sequence ?? 0) + index));
  });
});

describe('an edge that comes before its ends', () => {
  it('makes placeholders that no list shows until their entities arrive', async () => {
    const endpointId = `${PREFIX}-later`;
    const urn = endpointUrn(endpointId);
    const listed = () => graph.catalog.endpoints({ ids: [endpointId] }).count();
    const { sequence } = await write({ edges: [{ kind: 'HAS_UNIT', from: urn, to: urnOf('later-unit') }] });
    expect(sequence).not.toBeNull();
    expect(await node(urn)).toMatchObject({ version: 0, placeholder: true, labels: ['Entity'] });
    expect(await listed()).toBe(0);

    const properties = { id: endpointId, role: 'source', templateId: 't', vendor: 'v', config: '{}' };
    const receipt = await write({ entities: [{ kind: 'MetadataEndpoint', urn, name: 'Later', properties }] });
    expect(receipt.entities).toEqual([{ urn, outcome: 'created', version: 1 }]);
    expect(await node(urn)).not.toHaveProperty('placeholder');
    expect(await listed()).toBe(1);
    const [edge] = await graph.query('MATCH (:Entity {urn: $urn})-[r:HAS_UNIT]->() RETURN count(r) AS edges', { urn });
    expect(edge).toEqual({ edges: 1 });
  });
});

describe('an entity that is asked for only if it is absent', () => {
  const named = (name: string) => dataset(name, { properties: { namespace: PREFIX }, onlyIfAbsent: true });
  const writeNamed = async (name: string) => (await write({ entities: [named(name)] })).entities;

  it('is made, and left alone once it is there, whatever it holds', async () => {
    const urn = urnOf('absent');
    expect(await writeNamed('absent')).toEqual([{ urn, outcome: 'created', version: 1 }]);
    expect(await node(urn)).toMatchObject({ name: 'absent', namespace: PREFIX, labels: ['Entity', 'Dataset'] });
    await write({ entities: [dataset('absent', { properties: { namespace: 'elsewhere' } })] });
    expect(await writeNamed('absent')).toEqual([{ urn, outcome: 'unchanged', version: 0 }]);
    expect(await node(urn)).toMatchObject({ namespace: 'elsewhere', version: 2 });
  });

  it('takes the place of a placeholder, and comes back when it was deleted or purged', async () => {
    const urn = urnOf('named');
    const edge = { kind: 'FEEDS' as const, from: urn, to: urnOf('reader') };
    await write({ edges: [edge] });
    expect(await writeNamed('named')).toEqual([{ urn, outcome: 'created', version: 1 }]);
    expect(await node(urn)).not.toHaveProperty('placeholder');
    await write({ deletions: [{ urn }] });
    expect(await writeNamed('named')).toEqual([{ urn, outcome: 'revived', version: 3 }]);
    const [revival] = JSON.parse(String((await changes()).at(-1)?.items));
    expect(revival).toMatchObject({ operation: 'revived', before: { deletedAt: expect.anything() } });
    expect(Object.keys(revival.before)).toEqual(['deletedAt']);
    await write({ purges: [{ urn }] });
    expect((await write({ entities: [named('named')], edges: [edge] })).entities).toEqual([
      { urn, outcome: 'created', version: 1 },
    ]);
    expect(await node(urn)).toMatchObject({ name: 'named', labels: ['Entity', 'Dataset'] });
  });
});

describe('deletion', () => {
  it('is soft, happens once, and ends with the next upsert', async () => {
    const urn = urnOf('deleted');
    await write({ entities: [dataset('deleted', { properties: { kept: 'history' } })] });
    expect((await write({ deletions: [{ urn }] })).deletions).toEqual([{ urn, outcome: 'deleted', version: 2 }]);
    expect(await node(urn)).toMatchObject({ kept: 'history', deletedAt: expect.anything(), version: 2 });
    await expect(write({ deletions: [{ urn }] })).rejects.toMatchObject({ code: 'NOT_FOUND', details: { urn } });

    expect((await write({ entities: [dataset('deleted')] })).entities).toEqual([
      { urn, outcome: 'revived', version: 3 },
    ]);
    expect(await node(urn)).toMatchObject({ kept: 'history', version: 3 });
    expect(await node(urn)).not.toHaveProperty('deletedAt');
  });

  it('of an edge leaves one that does not exist alone, and can be taken back', async () => {
    const edge = { kind: 'FEEDS' as const, from: urnOf('from'), to: urnOf('to') };
    const state = async () =>
      (
        await graph.query(
          'MATCH (:Entity {urn: $from})-[r:FEEDS]->() RETURN r.version AS version, r.deletedAt IS NULL AS alive',
          { from: edge.from },
        )
      )[0];
    await write({ entities: [dataset('from'), dataset('to')] });
    expect((await write({ edgeDeletions: [edge] })).sequence).toBeNull();
    expect(await state()).toBeUndefined();

    await write({ edges: [edge] });
    expect((await write({ edgeDeletions: [edge] })).sequence).not.toBeNull();
    expect(await state()).toEqual({ version: 2, alive: false });
    expect((await write({ edgeDeletions: [edge] })).sequence).toBeNull();

    await write({ edges: [edge] });
    expect(await state()).toEqual({ version: 3, alive: true });
  });
});
