import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { pages } from '../support/pages.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

/** Letters alone, so that it is one word to the search. */
const prefix = uniquePrefix('search').replace(/[^a-z0-9]/g, '');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('knowledge-search')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

const dataset = (name: string): string => `nucleus:dataset:${prefix}:${encodeURIComponent(name)}`;

async function write(request: Parameters<TestGraph['knowledge']['writer']['write']>[0]) {
  const receipt = await graph.knowledge.writer.write(request, { actor: prefix });
  expect([...receipt.entities, ...receipt.deletions].flatMap(({ refusal }) => refusal ?? [])).toEqual([]);
}

async function query(text: string, variables: Record<string, unknown> = {}) {
  const answer = await app.graphql(text, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

describe('a search', () => {
  const NAMES = ['shop.public.order_items', 'OrderItems2024', 'reorder-log', 'orders', '注文表', 'größe'];
  beforeAll(async () => {
    await write({
      entities: [
        ...NAMES.map((name) => ({ urn: dataset(name), name: `${name}` })),
        { urn: dataset('described'), properties: { description: 'Every order that the shop has taken.' } },
        {
          kind: 'GlossaryTerm',
          key: { glossary: prefix, name: 'Order' },
          properties: { definition: `What a customer of ${prefix} buys.` },
        },
        { urn: dataset('hidden order') },
      ],
    });
    await write({ deletions: [{ urn: dataset('hidden order') }] });
  });

  const SEARCH = `query ($text: String!, $kinds: [String!], $first: Int = 50, $after: String) {
    search(text: $text, kinds: $kinds, first: $first, after: $after) {
      edges { score node { name } highlights { property text } } nodes { name } pageInfo { hasNextPage endCursor } } }`;
  const names = async (text: string, rest: object = {}): Promise<string[]> =>
    (await query(SEARCH, { text: `${prefix} ${text}`, ...rest })).search.nodes.map(
      ({ name }: { name: string }) => name,
    );

  it('finds a word in the middle of a name', async () => {
    expect((await names('items')).sort()).toEqual(['OrderItems2024', 'shop.public.order_items']);
    expect(await names('2024')).toEqual(['OrderItems2024']);
    expect(await names('public')).toEqual(['shop.public.order_items']);
  });

  it('puts whole words before parts of words, and names before descriptions', async () => {
    const found = await names('order');
    expect(found.slice(0, 2).sort()).toEqual(['Order', 'shop.public.order_items']);
    expect(found.indexOf('orders')).toBeLessThan(found.indexOf('reorder-log'));
    expect(found).toContain('described');
    expect(found).not.toContain('hidden order');
  });

  it('wants every word, the last one unfinished if need be', async () => {
    expect(await names('order customer')).toEqual(['Order']);
    expect(await names('order cust')).toEqual(['Order']);
    expect(await names('cust order')).toEqual([]);
    expect(await names('order nothing')).toEqual([]);
  });

  it('finds scripts without spaces, and letters with marks in either form', async () => {
    expect(await names('注文')).toEqual(['注文表']);
    expect(await names('größe'.normalize('NFD'))).toEqual(['größe']);
  });

  it('keeps to kinds', async () => {
    expect(await names('order', { kinds: ['GlossaryTerm'] })).toEqual(['Order']);
    expect(await names('order', { kinds: [] })).toEqual([]);
  });

  it('marks what it found', async () => {
    const { edges } = (await query(SEARCH, { text: `${prefix} customer` })).search;
    expect(edges).toEqual([
      {
        score: expect.any(Number),
        node: { name: 'Order' },
        highlights: [{ property: 'definition', text: `What a **customer** of **${prefix}** buys.` }],
      },
    ]);
  });

  it('is paged by score and urn, each hit once', async () => {
    const whole = await names('order');
    const read = async (after: string | null) =>
      (await query(SEARCH, { text: `${prefix} order`, first: 2, after })).search;
    expect((await pages(read)).map((node) => (node as { name: string }).name)).toEqual(whole);
  });

  it.each([
    '"',
    'a" OR "b',
    '*',
    'name:*',
    'x~1',
    'AND (',
    '[a TO b]',
    '\\',
    '/.*/',
    '🙂 a',
    'OR',
    'x'.repeat(10_000),
    'x'.repeat(500),
    '\u0000a',
    'a && b || !c',
  ])('takes hostile text for words, or says that there are none: %#', async (text) => {
    const answer = await app.graphql(SEARCH, { text });
    if (answer.errors === undefined) expect(answer.data.search.nodes).toBeInstanceOf(Array);
    else expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
