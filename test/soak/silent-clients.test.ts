import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('silent')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

it('a client that answers no ping is let go of, one that answers stays', async () => {
  const open = async (options: { autoPong: boolean }) => {
    const socket = new WebSocket(app.socketUrl, 'graphql-transport-ws', options);
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    return socket;
  };
  const [silent, answering] = await Promise.all([open({ autoPong: false }), open({ autoPong: true })]);
  const [code] = await once(silent, 'close');
  expect(code).toBe(1006);
  expect(answering.readyState).toBe(WebSocket.OPEN);
  answering.terminate();
}, 60_000);
