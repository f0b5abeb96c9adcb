import { makeExecutableSchema } from '@graphql-tools/schema';
import fc from 'fast-check';
import { execute, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ReadyLists, readyList } from '../../server/graphql/ready-lists.js';

const schema: GraphQLSchema = makeExecutableSchema({
  typeDefs: /* GraphQL */ `
    interface Named {
      name: String!
    }
    enum Size {
      SMALL
      LARGE
    }
    type Part implements Named {
      name: String!
      size: Size
      weight: Int
      marks: [String!]
      inner: Part
      parts: [Part!]
      shout: String!
    }
    type Query {
      box: Box
    }
    type Box {
      parts: [Part!]!
      name: String
      broken: String!
    }
  `,
  resolvers: {
    Query: { box: (root: object) => root },
    Box: {
      parts: readyList('parts'),
      broken: () => {
        throw new GraphQLError('broken');
      },
    },
    Part: { shout: ({ name }: { name: string }) => Promise.resolve(name.toUpperCase()) },
  },
});

interface Part {
  readonly name: unknown;
  readonly size: unknown;
  readonly weight: unknown;
  readonly marks: unknown;
  readonly inner?: Part | null;
  readonly parts?: readonly Part[];
}

const part = (name: unknown, rest: Partial<Part> = {}): Part => ({
  ...{ name, size: 'SMALL', weight: 1, marks: ['a'], inner: null, parts: [] },
  ...rest,
});

/** JSON of an answer as clients get it, and whether lists were filled in. */
async function answer(query: string, box: object, isReady: boolean, variables: Record<string, unknown> = {}) {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const ready = isReady ? new ReadyLists() : undefined;
  const result = await execute({
    schema,
    document,
    rootValue: box,
    contextValue: { ready },
    variableValues: variables,
  });
  ready?.fillIn(result.data);
  return JSON.stringify({ data: result.data, errors: result.errors?.map(({ message, path }) => ({ message, path })) });
}

async function same(query: string, box: object, variables?: Record<string, unknown>): Promise<string> {
  const text = await answer(query, box, true, variables);
  expect(text).toBe(await answer(query, box, false, variables));
  return text;
}

const BOX = {
  name: 'box',
  parts: [
    part('one', { inner: part('in', { size: null }), parts: [part('x', { weight: null })] }),
    part('two', { size: 'LARGE', marks: null }),
  ],
};

describe('a list that is completed as a whole', () => {
  it.each([
    '{ box { parts { name } } }',
    '{ box { parts { a: name b: name __typename n: __typename name } } }',
    '{ box { all: parts { name } some: parts { size } name } }',
    '{ box { parts { name } parts { size name weight } } }',
    '{ box { ...B } } fragment B on Box { parts { ...N ...P } } fragment N on Named { name } fragment P on Part { marks ...N }',
    '{ box { parts { ... on Named { name } ... { inner { inner { name } name } } } } }',
    '{ box { parts { inner { parts { name } size } parts { name weight inner { name } } } } }',
    '{ box { parts { __proto__: name name } } }',
    '{ box { parts { inner { __proto__: marks } } } }',
  ])('is what graphql-js makes of it: %s', async (query) => {
    expect(await same(query, BOX)).not.toContain('"errors"');
  });

  it('is empty until it is filled in', async () => {
    const ready = new ReadyLists();
    const document = parse('{ box { parts { name } } }');
    const { data } = await execute({ schema, document, rootValue: BOX, contextValue: { ready } });
    expect(JSON.stringify(data)).toBe('{"box":{"parts":[]}}');
    ready.fillIn(data);
    expect(JSON.stringify(data)).toBe('{"box":{"parts":[{"name":"one"},{"name":"two"}]}}');
  });

  it('heeds @skip and @include, of variables too', async () => {
    const query = `query ($yes: Boolean!, $no: Boolean!) {
      box { parts { name @skip(if: $yes) size @include(if: $yes) ...P @include(if: $no) ...P @skip(if: $no) weight @skip(if: true) } }
    } fragment P on Part { marks }`;
    for (const yes of [true, false]) {
      for (const no of [true, false]) await same(query, BOX, { yes, no });
    }
  });

  it.each<[string, object]>([
    ['a field that has a resolver', { parts: [part('one')] }],
    ['a null where none may be', { parts: [part(null)] }],
    ['an item that is null', { parts: [part('one'), null] }],
    ['a list that is null', { parts: null }],
    ['a list that is none', { parts: 7 }],
    ['a promise', { parts: [part(Promise.resolve('one'))] }],
    ['a function', { parts: [part(() => 'one')] }],
    ['an error', { parts: [part(new GraphQLError('no name'))] }],
    ['a value that its type does not have', { parts: [part('one', { size: 'HUGE', weight: 0.5 })] }],
  ])('with %s is left to graphql-js', async (_, box) => {
    await same('{ box { parts { name size weight shout } } }', box);
    await same('{ box { parts { name size weight } } }', box);
  });

  it('is gone where an error beside it has taken its place away', async () => {
    const text = await same('{ box { parts { name } broken } }', BOX);
    expect(text).toContain('"data":{"box":null}');
  });

  it('of any selection is what graphql-js makes of it', async () => {
    const { selections } = fc.letrec<{ field: string; selections: string }>((tie) => ({
      field: fc.oneof(
        fc.constantFrom('name', 'size', 'weight', 'marks', '__typename', 'a: name', 'b: size', '__proto__: weight'),
        fc.tuple(fc.constantFrom('inner', 'parts'), tie('selections')).map(([name, inside]) => `${name} { ${inside} }`),
        fc
          .tuple(
            fc.constantFrom('...', '... on Part', '... @skip(if: $yes)', '... @include(if: $yes)'),
            tie('selections'),
          )
          .map(([head, inside]) => `${head} { ${inside} }`),
      ),
      selections: fc.array(tie('field'), { minLength: 1, maxLength: 4 }).map((fields) => ['name', ...fields].join(' ')),
    }));
    const query = (inside: string) =>
      `query ($yes: Boolean! = true) { box { name @skip(if: $yes) parts { ${inside} } } }`;
    await fc.assert(
      fc.asyncProperty(selections, fc.boolean(), async (inside, yes) => {
        // One name may stand for one thing only.
        fc.pre(validate(schema, parse(query(inside))).length === 0);
        await same(query(inside), BOX, { yes });
      }),
      { numRuns: 100 },
    );
  });
});
