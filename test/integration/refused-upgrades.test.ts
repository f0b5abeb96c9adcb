import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('upgrades')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

it('a client that is refused and resets the connection does not end the server', async () => {
  const reset = async () => {
    const socket = connect({ port: app.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET /elsewhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.resetAndDestroy();
    await once(socket, 'close');
  };
  // An exception that nobody catches would end this process, and the test with it.
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 25 }, reset));
  expect((await app.call('GET', '/livez')).status).toBe(200);
});

it('a refused client is let go of', async () => {
  const socket = connect({ port: app.port, host: '127.0.0.1' });
  socket.write('GET /elsewhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 404/);
  await once(socket, 'close');
  expect(socket.destroyed).toBe(true);
});
