import fc from 'fast-check';
import { buildSchema, getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { OperationGate } from '../../server/graphql/limits/operation-gate.js';
import { DEFAULT_LIMITS } from '../support/default-limits.js';

const schema = buildSchema(/* GraphQL */ `
  type Query {
    entity(urn: ID!): Entity
    entities(first: Int = 50): Page!
    unsized(first: Int): Page!
    byUrn(urns: [ID!]!): [Entity]!
    filtered(where: Where, sort: [Where!]): Entity
    walk(kinds: [String!], maxNodes: Int! = 20, maxEdges: Int! = 30): Walk!
  }
  input Where {
    AND: [Where!]
    urn: [String!]
  }
  type Mutation {
    upsert(input: UpsertInput!): [Entity!]!
  }
  input UpsertInput {
    entities: [ID!]
  }
  type Page {
    nodes: [Entity!]!
    total: Int!
  }
  type Walk {
    nodes: [Entity!]!
    edges: [Edge!]!
    part: Walk
  }
  type Edge {
    from: ID!
    to: ID!
  }
  type Entity {
    urn: ID!
    name: String!
    links(first: Int = 10): Page!
  }
`);
const LIMITS = { ...DEFAULT_LIMITS.operation, depth: 6, cost: 1000, aliases: 3, rootFields: 4, directives: 3 };
const gate = new OperationGate(schema, LIMITS);

/** Details of the limits that a request passes; empty when it is let in. */
function passed(query: string, variables: Record<string, unknown> = {}, operationName?: string): unknown[] {
  return gate.check(gate.parse(query), { variables, operationName }).map((error) => error.originalError);
}

const over = (limit: keyof typeof LIMITS, actual: unknown = expect.any(Number)) =>
  expect.objectContaining({ code: 'QUERY_TOO_COMPLEX', details: { limit, value: LIMITS[limit], actual } });

/** Fields within each other, the innermost a leaf. */
const nested = (levels: number) =>
  `{ entity(urn: "a") { ${'links(first: 1) { nodes { '.repeat((levels - 2) / 2)} urn ${'} } '.repeat((levels - 2) / 2)} } }`;

describe('the depth of an operation', () => {
  it('is that of its fields', () => {
    expect(passed(nested(6))).toEqual([]);
    expect(passed(nested(8))).toEqual([over('depth', 8)]);
  });

  it('counts what fragments hold', () => {
    const fragments =
      'fragment F on Entity { links(first: 1) { nodes { ...G } } } fragment G on Entity { links(first: 1) { nodes { urn } } }';
    expect(passed(`{ entity(urn: "a") { ... on Entity { ...F } } } ${fragments}`)).toEqual([]);
    expect(passed(`{ entity(urn: "a") { links(first: 1) { nodes { ...F } } } } ${fragments}`)).toEqual([
      over('depth', 8),
    ]);
  });

  it('leaves room for the introspection that tools send', () => {
    expect(passed(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true, specifiedByUrl: true }))).toEqual(
      [],
    );
  });
});

describe('the cost of an operation', () => {
  it.each([
    ['a page that names no size counts as the default of the field', '{ entities { nodes { urn } } }', 1 + 50 * 2],
    ['a field that has no default counts as an assumed page', '{ unsized { nodes { urn } } }', 1 + 50 * 2],
    ['a page as large as asked for', '{ entities(first: 7) { total nodes { urn name } } }', 1 + 7 * 4],
    [
      'lists are as large as an argument above them says',
      '{ walk(maxNodes: 7, kinds: ["a", "b"]) { nodes { urn } edges { from to } } }',
      1 + (1 + 7) + (1 + 30 * 2),
    ],
    [
      'which holds for what lies between, and for fragments by where they are spread',
      '{ walk(maxNodes: 2) { part { ...W } } wide: walk(maxNodes: 9) { ...W } } fragment W on Walk { nodes { urn name } }',
      1 + (1 + 1 + 2 * 2) + 1 + (1 + 9 * 2),
    ],
    [
      'and not within the entries of such a list',
      '{ walk(maxNodes: 3) { nodes { links(first: 5) { nodes { urn } } } } }',
      1 + 1 + 3 * (1 + 5 * 2),
    ],
    [
      'pages multiply',
      '{ entities(first: 7) { nodes { links(first: 9) { nodes { urn } } } } }',
      1 + 7 * (1 + 1 + 9 * 2),
    ],
    ['a list as long as what is asked for by name', '{ byUrn(urns: ["a", "b", "c"]) { urn } }', 1 + 3],
    ['an input as long as its longest list', 'mutation { upsert(input: { entities: ["a", "b"] }) { urn } }', 1 + 2],
    ['a page of zero or less as one row', '{ entities(first: -5) { nodes { urn } } }', 1 + 2],
    [
      'a fragment wherever it is spread',
      '{ a: entity(urn: "a") { ...F } b: entity(urn: "b") { ...F } } fragment F on Entity { urn name }',
      2 * 3,
    ],
  ])('%s', (_, query, cost) => {
    const exact = new OperationGate(schema, { ...LIMITS, cost: cost - 1 });
    expect(exact.check(exact.parse(query), {}).map((error) => error.extensions)).toHaveLength(1);
    const enough = new OperationGate(schema, { ...LIMITS, cost });
    expect(enough.check(enough.parse(query), {})).toEqual([]);
  });

  it('reads sizes from variables and their defaults', () => {
    const query = (value = '') => `query Q($n: Int${value}) { entities(first: $n) { nodes { urn } } }`;
    expect(passed(query(), { n: 499 })).toEqual([]);
    expect(passed(query(), { n: 500 })).toEqual([over('cost', 1001)]);
    expect(passed(query(' = 500'))).toEqual([over('cost', 1001)]);
    expect(passed(query(' = 500'), { n: 1 })).toEqual([]);
    expect(passed('query Q($urns: [ID!]!) { byUrn(urns: $urns) { urn } }', { urns: Array(1000).fill('a') })).toEqual([
      over('cost', 1001),
    ]);
    const input = { entities: Array(1000).fill('a') };
    expect(passed('mutation M($input: UpsertInput!) { upsert(input: $input) { urn } }', { input })).toHaveLength(1);
  });

  it('is that of the operation which is to run', () => {
    const query = 'query Small { entity(urn: "a") { urn } } query Large { entities(first: 5000) { nodes { urn } } }';
    expect(passed(query, {}, 'Small')).toEqual([]);
    expect(passed(query, {}, 'Large')).toEqual([over('cost')]);
  });
});

describe('the width of an operation', () => {
  it('is limited in aliases, root fields and directives', () => {
    const aliases = Array.from({ length: 4 }, (_, index) => `a${index}: entity(urn: "${index}") { urn }`);
    expect(passed(`{ ${aliases.slice(0, 3).join(' ')} }`)).toEqual([]);
    expect(passed(`{ ${aliases.join(' ')} }`)).toEqual([over('aliases', 4)]);
    expect(passed(`{ ${'entity(urn: "a") { urn } '.repeat(5)} }`)).toEqual([over('rootFields', 5)]);
    expect(passed(`{ ...F ...F } fragment F on Query { ${'entity(urn: "a") { urn } '.repeat(3)} }`)).toEqual([
      over('rootFields', 6),
    ]);
    expect(passed(`{ entity(urn: "a") { urn ${'@include(if: true) '.repeat(4)} } }`)).toEqual([over('directives', 4)]);
  });
});

describe('the filters of an operation', () => {
  it('are limited in their conditions, on all levels and in variables', () => {
    const query = 'query Q($where: Where) { filtered(where: $where, sort: [{ urn: "ASC" }]) { urn } }';
    const conditions = (count: number) => ({ AND: Array.from({ length: count }, () => ({ urn: ['a', 'b', 'c'] })) });
    expect(passed(query, { where: conditions(LIMITS.filterTerms - 2) })).toEqual([]);
    expect(passed(query, { where: conditions(LIMITS.filterTerms) })).toEqual([
      over('filterTerms', LIMITS.filterTerms + 2),
    ]);
    const sort = '{ urn: "ASC" } '.repeat(LIMITS.filterTerms + 1);
    expect(passed(`{ filtered(sort: [${sort}]) { urn } }`)).toEqual([over('filterTerms', LIMITS.filterTerms + 1)]);
  });
});

describe('a hostile document', () => {
  it('of fragments that double at each step is measured once a fragment', () => {
    const steps = 120;
    const fragments = Array.from(
      { length: steps },
      (_, step) => `fragment F${step} on Entity { a: links { ...G${step} } b: links { ...G${step} } }
        fragment G${step} on Page { nodes { ...F${step + 1} } }`,
    );
    const query = `{ entity(urn: "a") { ...F0 } } ${fragments.join(' ')} fragment F${steps} on Entity { urn }`;
    expect(query.length).toBeGreaterThan(10_000);
    // Unfolded it has 2^120 fields: taking each of them would never end.
    expect(passed(query)).toEqual([over('depth', 2 + 2 * steps)]);
    const deep = new OperationGate(schema, { ...LIMITS, depth: 1000, aliases: Number.POSITIVE_INFINITY });
    expect(deep.check(deep.parse(query), {}).map((error) => error.originalError)).toEqual([
      over('cost', Number.MAX_SAFE_INTEGER),
    ]);
  });

  it.each([
    ['spreads a fragment in itself', '{ entity(urn: "a") { ...F } } fragment F on Entity { links { nodes { ...F } } }'],
    ['spreads what is not there', '{ ...Nowhere }'],
    ['names no type that exists', '{ ... on Nothing { urn { name } } nothing(first: 9) { here } }'],
    ['names no operation', 'fragment F on Entity { urn }'],
  ])('is left to validation when it %s', (_, query) => {
    expect(passed(query)).toEqual([]);
  });

  it.each([
    ['tokens', `{ ${'urn '.repeat(LIMITS.tokens)} }`, LIMITS.tokens + 1],
    ['nesting', '{ a '.repeat(50_000), LIMITS.nesting + 1],
    ['nesting', `{ entity(urn: ${'['.repeat(50_000)}`, LIMITS.nesting + 1],
  ] as const)('is not even parsed with too many %s', (limit, query, actual) => {
    expect(() => gate.parse(query)).toThrow(expect.objectContaining({ originalError: over(limit, actual) }));
  });

  it('says so in variables with more levels than any reader could follow', () => {
    let deep: unknown = 'core';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(passed('query Q($urns: [ID!]!) { byUrn(urns: $urns) { urn } }', { urns: deep })).toEqual([over('nesting')]);
  });

  it('of any text is let in, refused, or no GraphQL', () => {
    const words = [
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      '...',
      'on',
      'entity',
      'F',
      '$a',
      '"a"',
      '1',
      ':',
      '@skip',
      'fragment',
      '#',
      '"""',
    ];
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...words)).map((some) => some.join(' ')),
    );
    fc.assert(
      fc.property(text, fc.jsonValue(), (query, value) => {
        try {
          passed(query, { a: value });
        } catch (error) {
          expect(error).toMatchObject({ name: 'GraphQLError' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
