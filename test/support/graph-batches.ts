import fc from 'fast-check';
import type { GraphBatch, PropertyPatch, WriteOptions } from '#graph-store';
import { edgeName, type GraphModel } from './graph-model.js';

const names = fc.constantFrom('a', 'b', 'c', 'd');
const kinds = fc.constantFrom('FEEDS' as const, 'PRODUCES' as const);
const patches = fc.dictionary(
  fc.constantFrom('p', 'q'),
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom('x', 'y'), fc.constant(null)),
  { noNullPrototype: true },
) as fc.Arbitrary<PropertyPatch>;
/** Mostly none, so that not every batch is refused. */
const expectations = fc.option(fc.constantFrom('right', 'right', 'none', 'stale'), { nil: undefined, freq: 1 });
const nodes = fc.record({ name: names, expects: expectations });
const edges = fc.record({ from: names, to: names, kind: kinds, patch: patches, expects: expectations });

/** One random call of the graph store; how it is meant depends on what the graph holds when it is its turn. */
const randomWrite = fc.record({
  entities: fc.array(fc.record({ name: names, caption: fc.boolean(), patch: patches, expects: expectations }), {
    maxLength: 3,
  }),
  deletions: fc.array(nodes, { maxLength: 1 }),
  edges: fc.array(edges, { maxLength: 3 }),
  edgeDeletions: fc.array(edges, { maxLength: 1 }),
  purges: fc.oneof(
    { weight: 4, arbitrary: fc.array(nodes, { maxLength: 0 }) },
    { weight: 1, arbitrary: fc.array(nodes, { maxLength: 1 }) },
  ),
  atomic: fc.boolean(),
  missingEnds: fc.constantFrom('create' as const, 'refuse' as const),
  /** Sent again at once under the same key. */
  repeated: fc.boolean(),
});

export type RandomWrite = typeof randomWrite extends fc.Arbitrary<infer T> ? T : never;

export const randomWrites = fc.array(randomWrite, { minLength: 1, maxLength: 8 });

/** The call that a random write stands for; expected versions are right or wrong with regard to the model. */
export function callOf(
  write: RandomWrite,
  urnOf: (name: string) => string,
  model: GraphModel,
): { batch: GraphBatch; options: WriteOptions } {
  const expected = (expects: (typeof write.deletions)[number]['expects'], present: { version: number } | undefined) => {
    const version = present?.version ?? 0;
    if (expects === undefined) return {};
    return { ifVersion: { right: version, none: 0, stale: version + 1 }[expects] };
  };
  const node = ({ name, expects }: (typeof write.deletions)[number]) => {
    const urn = urnOf(name);
    return { urn, ...expected(expects, model.nodes.get(urn)) };
  };
  const edge = ({ from, to, kind, expects }: (typeof write.edges)[number]) => {
    const identity = { kind, from: urnOf(from), to: urnOf(to) };
    return { ...identity, ...expected(expects, model.edges.get(edgeName(identity))) };
  };
  return {
    batch: {
      entities: write.entities.map(({ name, caption, patch, expects }) => ({
        kind: 'Dataset',
        ...node({ name, expects }),
        ...(caption ? { name: `the ${name}` } : {}),
        properties: patch,
      })),
      deletions: write.deletions.map(node),
      edges: write.edges.map((item) => ({ ...edge(item), properties: item.patch })),
      edgeDeletions: write.edgeDeletions.map(edge),
      purges: write.purges.map(node),
    },
    options: { atomic: write.atomic, missingEnds: write.missingEnds },
  };
}
