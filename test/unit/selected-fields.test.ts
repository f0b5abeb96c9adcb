import { buildSchema, execute, type GraphQLResolveInfo, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { selectedFields } from '../../server/graphql/selected-fields.js';

const schema = buildSchema(/* GraphQL */ `
  type Query {
    walk: Walk
  }
  type Walk {
    edges: [Edge!]
    part: Walk
  }
  type Edge {
    from: ID
    to: ID
    runs: [ID]
  }
`);

function selected(query: string, path: string[], variableValues: Record<string, unknown> = {}): string[] {
  let found: string[] = [];
  const walk = (_: unknown, __: unknown, info: GraphQLResolveInfo) => {
    found = [...selectedFields(info, path)].sort();
    return null;
  };
  execute({ schema, document: parse(query), rootValue: { walk }, contextValue: {}, variableValues });
  return found;
}

describe('the fields that are selected below a field', () => {
  it.each<[string, string[]]>([
    ['{ walk { edges { from to } } }', ['from', 'to']],
    ['{ walk { a: edges { x: from } b: edges { to } part { edges { runs } } } }', ['from', 'to']],
    [
      '{ walk { edges { from } ... on Walk { edges { ... { runs } } } } walk { edges { to } } }',
      ['from', 'runs', 'to'],
    ],
    [
      '{ ...Q } fragment Q on Query { walk { ...W } } fragment W on Walk { edges { ...E } } fragment E on Edge { to }',
      ['to'],
    ],
    ['{ walk { part { edges { runs } } } }', []],
    ['{ walk { edges { from @skip(if: true) to @include(if: true) runs @include(if: false) } } }', ['to']],
    ['{ walk { edges @skip(if: true) { from } ... @include(if: false) { edges { to } } edges { runs } } }', ['runs']],
  ])('%s', (query, fields) => {
    expect(selected(query, ['edges'])).toEqual(fields);
  });

  it('are found further down, and by the values of variables', () => {
    const query =
      'query ($all: Boolean! = false) { walk { part { edges { from ...E @include(if: $all) ...E @skip(if: $all) } } } } fragment E on Edge { runs @include(if: $all) to @skip(if: $all) }';
    expect(selected(query, ['part', 'edges'])).toEqual(['from', 'to']);
    expect(selected(query, ['part', 'edges'], { all: true })).toEqual(['from', 'runs']);
  });

  it('of fragments that double at each step are found once a fragment', () => {
    const steps = 60;
    const fragments = Array.from(
      { length: steps },
      (_, step) => `fragment F${step} on Edge { ...F${step + 1} ...F${step + 1} }`,
    );
    const query = `{ walk { edges { ...F0 } } } ${fragments.join(' ')} fragment F${steps} on Edge { from }`;
    expect(selected(query, ['edges'])).toEqual(['from']);
  });
});
