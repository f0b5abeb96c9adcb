import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectOneWinnerPerVersion } from '../support/compare-and-set-race.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

describe('8 writers that race for 100 entities', () => {
  it('have one winner per version, a log without gaps and complete histories', () =>
    expectOneWinnerPerVersion(graph, uniquePrefix('race'), 150));
});
