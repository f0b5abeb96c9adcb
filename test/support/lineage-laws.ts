import fc from 'fast-check';
import { expect } from 'vitest';
import { InputError } from '#errors';
import { LINEAGE_LEVELS } from '#graph-schema';
import { Neo4jLineageReader } from '../../graph-store/lineage-reader.js';
import {
  LINEAGE_DIRECTIONS,
  type LineageDiff,
  type LineageKind,
  type LineageNode,
  type LineagePart,
  type LineageReader,
  type LineageWalk,
} from '../../graph-store/lineage-types.js';
import type { TestGraph } from './graph.js';
import { INSTANTS, lineageGraphs, urnsIn, writeLineage } from './lineage-graphs.js';
import { edgeText, LineageModel, type ModelAnswer, type ModelGraph, type ModelWalk } from './lineage-model.js';

const STARTS = { DATASET: ['dataset', 'job'], JOB: ['job', 'job'], FIELD: ['field', 'dataset'] } as const;

const views = fc.constantFrom('CURRENT' as const, 'EVER' as const, ...INSTANTS.map((at) => ({ at })));

const askedWalks = fc.record({
  direction: fc.constantFrom(...LINEAGE_DIRECTIONS),
  // Few depths: Neo4j takes longer to plan a statement than to run it on such graphs.
  depth: fc.constantFrom(1, 2, undefined),
  level: fc.constantFrom(...LINEAGE_LEVELS),
  view: views,
  /** What the view is compared with. */
  against: views,
  start: fc.nat(5),
  other: fc.boolean(),
  kinds: fc.constantFrom<(LineageKind[] | undefined)[]>(undefined, undefined, ['Dataset'], ['Job'], ['Field', 'Job']),
  inOneNamespace: fc.boolean(),
  maxNodes: fc.integer({ min: 3, max: 9 }),
  maxEdges: fc.integer({ min: 5, max: 15 }),
});

type AskedWalk = typeof askedWalks extends fc.Arbitrary<infer T> ? T : never;

/**
 * Compares walks over random graphs, at once and in parts, with a search in memory.
 *
 * @returns how many walks came in several parts: without such a run says little
 */
export async function compareWalks(
  graph: TestGraph,
  options: {
    readonly namespaceOf: () => string;
    readonly graphs: number;
    readonly walks: number;
    readonly seed: number;
  },
): Promise<number> {
  const reader = new Neo4jLineageReader(graph.driver);
  let inParts = 0;
  await fc.assert(
    fc.asyncProperty(
      lineageGraphs(options.namespaceOf),
      fc.array(askedWalks, { minLength: options.walks, maxLength: options.walks }),
      async (model, asked) => {
        await writeLineage(graph, model);
        for (const walk of asked) if (await compareWalk(reader, model, walk)) inParts += 1;
      },
    ),
    { numRuns: options.graphs, seed: options.seed, endOnFailure: true },
  );
  return inParts;
}

async function compareWalk(reader: LineageReader, { nodes, edges }: ModelGraph, asked: AskedWalk): Promise<boolean> {
  const { start, other, kinds, inOneNamespace, maxNodes, maxEdges, against, ...rest } = asked;
  const namespace = nodes[0]?.urn.split(':')[2] ?? '';
  const startKind = STARTS[rest.level][other ? 1 : 0];
  // The first data set alone has columns.
  const urn = urnsIn(namespace)[startKind](rest.level === 'FIELD' && startKind === 'dataset' ? 0 : start);
  const filter = { kinds, namespaces: inOneNamespace ? [namespace] : undefined };
  const walk: ModelWalk = { ...rest, urn, filter };
  const known = new LineageModel(nodes, edges);
  const expected = known.walk(walk);
  await compareDiff(reader, known, walk, against);
  if (expected === null) {
    const refusal = await reader.walk(walk).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InputError);
    expect(refusal).toMatchObject({ code: 'NOT_FOUND' });
    return false;
  }
  const whole = await reader.walk(walk);
  const text = whole.nodes.map((node) => `${node.urn}@${node.depth}`);
  expect({ nodes: text, edges: whole.edges.map(edgeText).sort() }).toEqual(expected);
  expect(whole.truncated).toBeNull();
  const written = new Map(nodes.map((node) => [node.urn, node]));
  for (const { urn: told, kind, placeholder, deletedAt } of whole.nodes) {
    expect({ kind: kind.toLowerCase(), placeholder, deletedAt }).toEqual({
      kind: told.split(':')[1],
      placeholder: written.get(told)?.label === null,
      deletedAt: written.get(told)?.deletedAt,
    });
  }
  const { parts, ...added } = await allParts(reader, { ...walk, maxNodes, maxEdges });
  expect(added).toEqual({ nodes: whole.nodes, edges: whole.edges });
  const { rows, truncated } = await reader.impact(walk);
  expect({ nodes: rows.map(({ record }) => record), truncated }).toEqual({ nodes: whole.nodes, truncated: null });
  const pieces: LineageNode[] = [];
  for await (const piece of reader.everything(walk)) pieces.push(...piece);
  expect(pieces).toEqual(whole.nodes);
  return parts > 1;
}

async function compareDiff(
  reader: LineageReader,
  known: LineageModel,
  { view: from, ...walk }: ModelWalk,
  to: ModelWalk['view'],
): Promise<void> {
  const [before, after] = [known.walk({ ...walk, view: from }), known.walk({ ...walk, view: to })];
  const diff = await reader.diff({ ...walk, from, to }).catch((error: unknown) => error);
  if (before === null && after === null) {
    expect(diff).toMatchObject({ code: 'NOT_FOUND' });
    return;
  }
  expect(diff).toEqual({
    added: expect.anything(),
    removed: expect.anything(),
    fromTruncated: null,
    toTruncated: null,
  });
  const { added, removed } = diff as LineageDiff;
  expect(textOf(added)).toEqual(lackedBy(before, after));
  expect(textOf(removed)).toEqual(lackedBy(after, before));
}

const urnOf = (node: string): string => node.slice(0, node.lastIndexOf('@'));

function lackedBy(one: ModelAnswer | null, other: ModelAnswer | null) {
  const urns = one?.nodes.map(urnOf) ?? [];
  return {
    nodes: (other?.nodes ?? []).filter((node) => !urns.includes(urnOf(node))),
    edges: (other?.edges ?? []).filter((edge) => !one?.edges.includes(edge)),
  };
}

function textOf(part: LineagePart | null) {
  return {
    nodes: part?.nodes.map(({ urn, depth }) => `${urn}@${depth}`),
    edges: part?.edges.map(edgeText).sort(),
  };
}

interface Part<Node, Edge> {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  readonly truncated: { readonly next: string } | null;
}

interface PartLimits {
  readonly maxNodes: number;
  readonly maxEdges: number;
}

/** All parts of a walk. Each edge must come when both its ends are known. */
export async function partsOf<
  Node extends { readonly urn: string },
  Edge extends { readonly from: string; readonly to: string },
>({ maxNodes, maxEdges }: PartLimits, ask: (after: string | undefined) => Promise<Part<Node, Edge>>) {
  const nodes: Node[] = [];
  const edges: Edge[] = [];
  const known = new Set<string>();
  let after: string | undefined;
  for (let parts = 1; ; parts += 1) {
    const part = await ask(after);
    expect(part.nodes.length).toBeLessThanOrEqual(maxNodes);
    expect(part.edges.length).toBeLessThanOrEqual(maxEdges);
    for (const { urn } of part.nodes) known.add(urn);
    for (const { from, to } of part.edges) expect(known.has(from) && known.has(to)).toBe(true);
    nodes.push(...part.nodes);
    edges.push(...part.edges);
    if (part.truncated === null) return { nodes, edges, parts };
    after = part.truncated.next;
  }
}

export function allParts(reader: LineageReader, walk: LineageWalk & PartLimits) {
  return partsOf(walk, (after) => reader.walk({ ...walk, after }));
}
