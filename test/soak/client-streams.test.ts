import { afterAll, beforeAll, expect, it } from 'vitest';
import { NucleusClient } from '#client';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openTcpProxy } from '../support/tcp-proxy.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('sdk-soak');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
let writer: NucleusClient;

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('sdk-soak')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
  writer = new NucleusClient({ url: app.url });
});
afterAll(async () => {
  await writer.close();
  await app[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const tag = (name: string) => `nucleus:tag:${PREFIX}-${name}`;

it('a connection that is dead though open is noticed, and nothing is lost', async () => {
  await using proxy = await openTcpProxy(app.port);
  await using client = new NucleusClient({ url: proxy.url });
  const urns = ['before', 'after'].map(tag);
  await using changes = client.graphChanges({ filter: { urns } });
  await changes.subscribed();
  for (const urn of urns) {
    await writer.upsert({ entities: [{ urn }] });
    // Of the second change the connection will never tell: only a missing answer to a ping does.
    const { value } = await changes.next();
    expect(value?.items.map((item) => item.urn)).toEqual([urn]);
    proxy.stall();
  }
  expect(proxy.accepted).toBe(2);
});

it('twenty streams on one connection that is cut two hundred times miss and repeat nothing', async () => {
  const CUTS = 200;
  const STREAMS = 20;
  const urns = Array.from({ length: 1_000 }, (_, index) => tag(`cut-${index}`));
  await using proxy = await openTcpProxy(app.port);
  await using client = new NucleusClient({ url: proxy.url, retry: { baseMs: 5, maxMs: 100 } });
  let delivered = 0;
  const streams = Array.from({ length: STREAMS }, () => client.graphChanges({ filter: { urns } }));
  await Promise.all(streams.map((changes) => changes.subscribed()));
  const reading = streams.map(async (changes) => {
    const seen: string[] = [];
    for await (const change of changes) {
      for (const { urn } of change.items) seen.push(urn);
      delivered += 1;
      if (delivered % ((urns.length * STREAMS) / CUTS) === 0) proxy.cut();
      if (seen.length >= urns.length) break;
    }
    return seen;
  });
  for (const urn of urns) await writer.upsert({ entities: [{ urn }] });
  for (const seen of await Promise.all(reading)) expect(seen).toEqual(urns);
  expect(proxy.accepted).toBeGreaterThan(CUTS / 2);
});
