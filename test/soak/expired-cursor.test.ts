import { afterAll, beforeAll, expect, it } from 'vitest';
import { CursorExpiredError, NucleusClient } from '#client';
import { openOwnGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openOwnGraph(), openOwnNamespace('expired')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

it('a cursor that the log no longer reaches is told apart, with the oldest that works', async () => {
  await using client = new NucleusClient({ url: app.url });
  const { commit: first } = await client.upsert({ entities: [{ urn: 'nucleus:tag:one' }] });
  if (first === null) throw new Error('nothing was written');
  for (const name of ['two', 'three']) await client.upsert({ entities: [{ urn: `nucleus:tag:${name}` }] });
  await graph.log.prune(new Date(Date.now() + 60_000));

  const error = await client
    .graphChanges({ after: first })
    .next()
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CursorExpiredError);
  const { oldest } = error as CursorExpiredError;
  expect(oldest).toBe((await client.changeLog()).oldest);
  await using changes = client.graphChanges({ after: oldest ?? '' });
  expect(await changes.subscribed()).toBe(oldest);

  const answer = await callNucleusCli(['tail', '--after', first, '--url', app.url, '--json']);
  expect(answer).toMatchObject({ code: 7, stdout: '' });
  expect(JSON.parse(answer.stderr)).toMatchObject({ error: { code: 'CURSOR_EXPIRED', details: { oldest } } });
});
