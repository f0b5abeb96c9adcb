import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { lineageTree, linesOfLineage } from '../../client/cli/lineage-tree.js';
import { Output } from '../../client/cli/output.js';
import type { LineageEdge, LineageNode } from '../../client/lineage-types.js';

const output = new Output({
  ...{ json: false, stdout: new PassThrough(), stderr: new PassThrough(), env: {} },
  signal: new AbortController().signal,
});

const node = (urn: string, depth: number): LineageNode => ({
  ...{ urn, depth, kind: 'Field', name: urn, labels: [], placeholder: false, deletedAt: null, browserUrl: null },
});
const edge = (from: string, to: string, via: string): LineageEdge => ({
  ...{ kind: 'DERIVES', from, to, via, current: true, intervals: [], firstRun: null, lastRun: null, manual: null },
});

it('a chain of any length is a tree of bounded width', () => {
  const urns = Array.from({ length: 20_000 }, (_, index) => `f${index}`);
  const edges = urns.slice(1).map((urn, index) => edge(`f${index}`, urn, 'job'));
  const lines = lineageTree({ nodes: urns.map(node), edges }, false, linesOfLineage(output)).split('\n');
  expect(lines).toHaveLength(20_000);
  expect(lines.slice(0, 3)).toEqual(['Field f0  f0', '  Field f1  f1', '    Field f2  f2']);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(150);
});

it('several edges between two nodes are one branch, and a node that feeds itself ends', () => {
  const nodes = [node('a', 0), node('b', 1)];
  const edges = [edge('a', 'b', 'x'), edge('a', 'b', 'y'), edge('b', 'b', 'z')];
  expect(lineageTree({ nodes, edges }, false, linesOfLineage(output)).split('\n')).toEqual([
    'Field a  a',
    '  Field b  b',
    '    Field b (see above)  b',
  ]);
});
