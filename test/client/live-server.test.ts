import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphChange, NucleusClient, UnauthenticatedError } from '#client';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openTcpProxy } from '../support/tcp-proxy.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('sdk');
const TOKEN = 'an-api-token-of-24-characters';
/** Outages in these tests are short. */
const RETRY = { baseMs: 5, maxMs: 50 };

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
let client: NucleusClient;

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('sdk')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
  client = new NucleusClient({ url: app.url });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const tag = (name: string) => `nucleus:tag:${PREFIX}-${name}`;
const urnsOf = (changes: readonly GraphChange[]) => changes.flatMap(({ items }) => items.map(({ urn }) => urn));

async function take(changes: AsyncIterableIterator<GraphChange>, count: number): Promise<GraphChange[]> {
  const taken: GraphChange[] = [];
  while (taken.length < count) {
    const { value, done } = await changes.next();
    if (done) throw new Error(`the stream ended after ${taken.length} changes`);
    taken.push(value);
  }
  return taken;
}

describe('the client', () => {
  it('writes, reads, searches, lists and deletes', async () => {
    const word = `w${PREFIX.replaceAll('-', '')}`;
    const urn = `nucleus:dataset:${PREFIX}:orders`;
    const written = await client.upsert({
      entities: [
        { kind: 'Dataset', key: { namespace: PREFIX, name: 'orders' }, properties: { description: `about ${word}` } },
        { urn: tag('pii') },
      ],
      links: [{ kind: 'TAGGED', from: urn, to: tag('pii') }],
    });
    expect(written).toMatchObject({ entities: [{ urn, outcome: 'CREATED' }, {}], commit: expect.any(String) });
    expect(await client.node(urn)).toMatchObject({ kind: 'Dataset', properties: { description: `about ${word}` } });
    expect(await client.nodes([urn, tag('none')])).toMatchObject([{ urn }, null]);
    expect(await client.links(urn).all()).toMatchObject([
      { kind: 'TAGGED', direction: 'OUT', node: { urn: tag('pii') } },
    ]);
    await expect.poll(() => client.search(word).all(), { timeout: 10_000 }).toMatchObject([{ node: { urn } }]);
    expect(await client.changes(urn).all()).toMatchObject([{ commit: written.commit, item: { operation: 'CREATED' } }]);

    await client.delete({ entities: [{ urn }] });
    expect(await client.node(urn)).toBeNull();
    expect(await client.node(urn, { includeDeleted: true })).toMatchObject({ urn, deletedAt: expect.any(String) });
    await client.purge({ entities: [{ urn }] });
    expect(await client.node(urn, { includeDeleted: true })).toBeNull();
  });

  it('walks pages of any size', async () => {
    const kind = `P${PREFIX.replaceAll('-', '')}`;
    await client.defineEntityKind({ name: kind, description: 'for a test' });
    expect(await client.entityKinds()).toContainEqual(expect.objectContaining({ name: kind, origin: 'CUSTOM' }));
    const names = Array.from({ length: 7 }, (_, index) => `e${index}`);
    await client.upsert({ entities: names.map((name) => ({ kind, key: { name } })) });
    for (const pageSize of [1, 3, 7]) {
      const entities = await client.entities({ kind, pageSize }).all();
      expect(entities.map(({ name }) => name)).toEqual(names);
    }
  });

  it('tells a stale write from others, and that nothing else stopped', async () => {
    await client.upsert({ entities: [{ urn: tag('stale') }] });
    const input = { entities: [{ urn: tag('stale'), ifVersion: 0 }, { urn: tag('fresh') }] };
    await expect(client.upsert(input)).rejects.toMatchObject({
      name: 'WriteRefusedError',
      code: 'CONFLICT',
      userErrors: [{ elementIndex: 0 }],
      result: { entities: [{ outcome: 'REFUSED', version: 1 }, { outcome: 'CREATED' }] },
    });
  });

  it('reads what many writers of its own have just committed', async () => {
    const urns = Array.from({ length: 20 }, (_, index) => tag(`many-${index}`));
    await Promise.all(urns.map((urn) => client.upsert({ entities: [{ urn }] })));
    expect(await client.nodes(urns)).toMatchObject(urns.map((urn) => ({ urn })));
  });

  it('writes once, though the connection breaks before the answer', async () => {
    await using proxy = await openTcpProxy(app.port);
    const unlucky = new NucleusClient({
      url: proxy.url,
      retry: RETRY,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (cuts > 0) {
          cuts -= 1;
          proxy.cut();
          throw new TypeError('the answer is lost');
        }
        return response;
      },
    });
    let cuts = 2;
    const payload = await unlucky.upsert({ entities: [{ urn: tag('once'), properties: { color: '#123456' } }] });
    expect(payload).toMatchObject({ entities: [{ outcome: 'CREATED', version: 1 }], replayed: true });
    expect(await client.changes(tag('once')).all()).toHaveLength(1);
  });
});

describe('a stream of changes', () => {
  it('brings what was committed since it was subscribed, in order', async () => {
    await using changes = client.graphChanges({ filter: { urns: [tag('a'), tag('b')] } });
    await changes.subscribed();
    for (const name of ['a', 'other', 'b']) await client.upsert({ entities: [{ urn: tag(name) }] });
    expect(urnsOf(await take(changes, 2))).toEqual([tag('a'), tag('b')]);
  });

  it('brings everything once and in order, however often its connection is cut', async () => {
    const parts = Array.from({ length: 12 }, (_, part) => [1, 2, 3, 4, 5].map((n) => tag(`cut-${part}-${n}`)));
    const urns = parts.flat();
    await using proxy = await openTcpProxy(app.port);
    await using unlucky = new NucleusClient({ url: proxy.url, retry: RETRY });
    let reconnects = 0;
    await using changes = unlucky.graphChanges({
      filter: { urns },
      onReconnect: () => {
        reconnects += 1;
      },
    });
    await changes.subscribed();
    const seen: GraphChange[] = [];
    for (const part of parts) {
      // While the client comes back after the cut before.
      for (const urn of part) await client.upsert({ entities: [{ urn }] });
      seen.push(...(await take(changes, part.length)));
      proxy.cut();
    }
    expect(urnsOf(seen)).toEqual(urns);
    expect(reconnects).toBeGreaterThanOrEqual(parts.length - 1);
  });

  it('of a new process goes on where the one before had got to', async () => {
    const urns = ['p1', 'p2', 'p3'].map(tag);
    const before = client.graphChanges({ filter: { urns } });
    await before.subscribed();
    for (const urn of urns) await client.upsert({ entities: [{ urn }] });
    expect(urnsOf(await take(before, 1))).toEqual([urns[0]]);
    await before.return();
    await using next = client.graphChanges({ filter: { urns }, after: before.cursor });
    expect(urnsOf(await take(next, 2))).toEqual(urns.slice(1));
  });

  it('survives a restart of the server', async () => {
    const urns = ['r1', 'r2', 'r3'].map(tag);
    const first = await openHttpApp(graph, { temporal: temporal.client });
    await using watcher = new NucleusClient({ url: first.url, retry: RETRY });
    await using changes = watcher.graphChanges({ filter: { urns } });
    await changes.subscribed();
    await client.upsert({ entities: [{ urn: tag('r1') }] });
    expect(urnsOf(await take(changes, 1))).toEqual([tag('r1')]);
    await first[Symbol.asyncDispose]();
    await client.upsert({ entities: [{ urn: tag('r2') }] });
    await using _ = await openHttpApp(graph, { temporal: temporal.client, port: first.port });
    await client.upsert({ entities: [{ urn: tag('r3') }] });
    expect(urnsOf(await take(changes, 2))).toEqual([tag('r2'), tag('r3')]);
  });

  it('replays a long past to a slow reader without keeping it in memory', async () => {
    const urns = Array.from({ length: 500 }, (_, index) => tag(`past-${index}`));
    const { head } = await client.changeLog();
    // 24 changes of 500 items: more than the buffer of the stream holds.
    for (let round = 0; round < 24; round += 1) {
      const properties = { color: `#0000${String(round).padStart(2, '0')}` };
      await client.upsert({ entities: urns.map((urn) => ({ urn, properties })) });
    }
    await using changes = client.graphChanges({ filter: { urns }, after: head });
    const items = new Map<string, number>();
    let count = 0;
    for await (const change of changes) {
      for (const { urn, version } of change.items) {
        expect(version).toBe((items.get(urn) ?? 0) + 1);
        items.set(urn, version);
        count += 1;
      }
      if (count === 24 * urns.length) break;
    }
    expect(items.size).toBe(urns.length);
  });

  it('ends with its client', async () => {
    const closing = new NucleusClient({ url: app.url });
    const changes = closing.graphChanges({ filter: { urns: [tag('never')] } });
    await changes.subscribed();
    const waiting = changes.next();
    await closing.close();
    await expect(waiting).rejects.toThrow('the client was closed');
    await expect(closing.graphChanges().subscribed()).rejects.toThrow('the client was closed');
  });

  it('is refused with a cursor that is none, at once', async () => {
    const changes = client.graphChanges({ after: 'yesterday' });
    await expect(changes.next()).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('a server that wants a token', () => {
  let guarded: HttpApp;
  beforeAll(async () => {
    guarded = await openHttpApp(graph, { temporal: temporal.client, apiToken: TOKEN });
  });
  afterAll(async () => guarded[Symbol.asyncDispose]());

  it('refuses calls and streams without it, and takes both with it', async () => {
    for (const token of [undefined, 'another-token-of-24-characters']) {
      await using stranger = new NucleusClient({ url: guarded.url, token });
      await expect(stranger.node(tag('x'))).rejects.toBeInstanceOf(UnauthenticatedError);
      await expect(stranger.graphChanges().next()).rejects.toBeInstanceOf(UnauthenticatedError);
    }
    await using friend = new NucleusClient({ url: guarded.url, token: async () => TOKEN });
    await using changes = friend.graphChanges();
    await using runs = friend.ingestionRunEvents({ filter: { endpointId: PREFIX } });
    expect(await changes.subscribed()).toEqual(expect.any(String));
    expect(await runs.subscribed()).toEqual(expect.any(String));
    expect(await friend.node(tag('x'))).toBeNull();
  });
});
