import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { compareRunWalks } from '../support/run-lineage-laws.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('run-walks');

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

describe('walks over many random runs', () => {
  it('find what a search in memory finds, at once and in parts', async () => {
    let graphs = 0;
    const size = { graphs: 100, walks: 25, seed: randomInt(2 ** 31) };
    const inParts = await compareRunWalks(graph, { prefixOf: () => `${PREFIX}-${graphs++}`, ...size });
    expect(inParts).toBeGreaterThan(500);
  });
});
