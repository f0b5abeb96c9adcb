import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { reconnectStorm } from '../support/reconnect-storm.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: OwnGraph;
let temporal: TestNamespace;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openOwnGraph(), openOwnNamespace('storm')]);
});
afterAll(async () => {
  await temporal?.[Symbol.asyncDispose]();
  await graph?.[Symbol.asyncDispose]();
});

it('100 sockets, each cut off 50 times, on two processes of which one is killed: all have exactly the log', async () => {
  const seed = Date.now() % 2 ** 31;
  await expect(
    reconnectStorm(graph, temporal.namespace, { sockets: 100, cuts: 50, seed }),
    `seed ${seed}`,
  ).resolves.toBeUndefined();
}, 1_200_000);
