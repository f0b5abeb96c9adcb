import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('connections')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

const INIT = '{"type":"connection_init"}';
const SUBSCRIBE = JSON.stringify({
  id: '1',
  type: 'subscribe',
  payload: { query: 'subscription { graphChanges(filter: { actors: ["nobody"] }) { kind } }' },
});

/** Sends messages one after the other. @returns the code with which the server closes the connection */
async function closeCode(url: string, messages: readonly (string | Buffer)[]): Promise<number> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  const closed = once(socket, 'close');
  for (const message of messages) {
    const acknowledged = message === INIT && message !== messages.at(-1) && once(socket, 'message');
    socket.send(message);
    await acknowledged;
  }
  const [code] = await closed;
  return code;
}

describe('the server closes a connection', () => {
  it.each([
    ['that is sent no JSON', 4400, ['{']],
    ['that is sent bytes', 4400, [Buffer.from([0, 255])]],
    ['that is sent a message of another protocol', 4400, ['{"type":"start","id":"1"}']],
    ['that is sent a subscription without an id', 4400, [INIT, '{"type":"subscribe","payload":{"query":"{ a }"}}']],
    ['that subscribes before it is acknowledged', 4401, [SUBSCRIBE]],
    ['that is initialised twice', 4429, [INIT, INIT]],
    ['that uses an id twice at once', 4409, [INIT, SUBSCRIBE, SUBSCRIBE]],
  ] as const)('%s', async (_, code, messages) => {
    expect(await closeCode(app.socketUrl, messages)).toBe(code);
  });

  it('that does not say who it is', async () => {
    expect(await closeCode(app.socketUrl, [])).toBe(4408);
  }, 10_000);

  it('when it shuts down', async () => {
    const ending = await openHttpApp(graph, { temporal: temporal.client });
    const socket = new WebSocket(ending.socketUrl, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(INIT);
    await once(socket, 'message');
    socket.send(SUBSCRIBE);
    // The first event says that the subscription stands.
    await once(socket, 'message');
    const closed = once(socket, 'close');
    await ending[Symbol.asyncDispose]();
    expect((await closed)[0]).toBe(1001);
  });
});
