import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { endpointUrn } from '#graph-schema';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { pages } from '../support/pages.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const prefix = uniquePrefix('reads').replace(/[^a-z0-9]/g, '');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('knowledge-reads')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

const dataset = (name: string): string => `nucleus:dataset:${prefix}:${encodeURIComponent(name)}`;
const tag = (name: string): string => `nucleus:tag:${prefix}-${name}`;

async function write(request: Parameters<TestGraph['knowledge']['writer']['write']>[0]) {
  const receipt = await graph.knowledge.writer.write(request, { actor: prefix });
  expect(
    [...receipt.entities, ...receipt.links, ...receipt.deletions, ...receipt.linkDeletions].flatMap(
      ({ refusal }) => refusal ?? [],
    ),
  ).toEqual([]);
  return receipt;
}

async function query(text: string, variables: Record<string, unknown> = {}) {
  const answer = await app.graphql(text, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

const refusal = async (text: string, variables: Record<string, unknown> = {}) =>
  (await app.graphql(text, variables)).errors?.[0]?.extensions;

describe('a look at entities by their urns', () => {
  it('keeps the order that was asked for, and leaves deleted ones out unless asked', async () => {
    await write({ entities: [{ urn: dataset('a') }, { urn: dataset('b') }, { urn: dataset('deleted') }] });
    await write({ deletions: [{ urn: dataset('deleted') }] });
    const urns = [dataset('b'), dataset('nothing'), dataset('a'), dataset('deleted'), 'no urn', dataset('b')];
    const { nodes, all, node } = await query(
      'query ($urns: [ID!]!, $one: ID!) { nodes(urns: $urns) { urn } all: nodes(urns: $urns, includeDeleted: true) { urn deletedAt } node(urn: $one) { urn } }',
      { urns, one: dataset('deleted') },
    );
    const { a, b, deleted } = {
      a: { urn: dataset('a') },
      b: { urn: dataset('b') },
      deleted: { urn: dataset('deleted') },
    };
    expect(nodes).toEqual([b, null, a, null, null, b]);
    expect(all[3]).toEqual({ ...deleted, deletedAt: expect.any(String) });
    expect(node).toBeNull();
  });

  it('is bounded', async () => {
    const urns = Array.from({ length: 501 }, () => dataset('a'));
    expect(await refusal('query ($urns: [ID!]!) { nodes(urns: $urns) { urn } }', { urns })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });
});

describe('the list of entities', () => {
  it('goes on after the last urn, whatever came or went meanwhile', async () => {
    const kind = await defineKind('Listed');
    const urn = (name: string): string => `nucleus:${kind.urnKind}:${name}`;
    const others = Array.from({ length: 7 }, (_, index) => urn(`n${index}`));
    await write({ entities: others.map((one) => ({ urn: one })) });
    let page = 0;
    const seen = await pages(async (after) => {
      if (page++ === 1) await write({ entities: [{ urn: urn('a-before') }], deletions: [{ urn: urn('n5') }] });
      return (
        await query(
          'query ($kind: String, $after: String) { entities(kind: $kind, first: 2, after: $after) { nodes { urn } pageInfo { hasNextPage endCursor } } }',
          {
            kind: kind.name,
            after,
          },
        )
      ).entities;
    });
    expect(seen).toEqual(others.filter((one) => one !== urn('n5')).map((one) => ({ urn: one })));
    expect((await query(`{ entities(kind: "${kind.name}", first: 1) { totalCount } }`)).entities.totalCount).toBe(7);
  });

  it.each([
    ['{ entities(kind: "Nope") { nodes { urn } } }'],
    ['{ entities(first: 0) { nodes { urn } } }'],
    ['{ entities(first: 501) { nodes { urn } } }'],
    ['{ entities(after: "nonsense") { nodes { urn } } }'],
    ['{ search(text: "a", after: "WzEsMV0") { nodes { urn } } }'],
    ['{ search(text: "a", kinds: ["Nope"]) { nodes { urn } } }'],
    ['{ search(text: "") { nodes { urn } } }'],
    ['{ changes(urn: "x", after: "nonsense") { nodes { commit } } }'],
    ['{ datasets(limit: 0) { urn } }'],
    ['{ datasets(limit: 1, offset: -1) { urn } }'],
    ['{ datasets(limit: 1) { tags(first: -1) { urn } } }'],
    ['{ datasetsConnection(first: -1) { totalCount } }'],
    ['{ datasetsConnection(first: 1, after: "nonsense") { totalCount } }'],
  ])('and the others refuse what they cannot answer: %s', async (text) => {
    expect(await refusal(text)).toMatchObject({ code: 'BAD_USER_INPUT', retryable: false });
  });
});

describe('the links of an entity', () => {
  it('are ordered, paged and filtered by kind and direction', async () => {
    const [hub, field] = [dataset('hub'), `nucleus:field:${prefix}:hub:id`];
    const tags = ['c', 'a', 'b'].map(tag);
    await write({
      entities: [{ urn: hub }, { urn: field }, ...tags.map((urn) => ({ urn })), { urn: `nucleus:owner:${prefix}` }],
      links: [
        ...tags.map((to) => ({ kind: 'TAGGED', from: hub, to })),
        { kind: 'OWNED_BY', from: hub, to: `nucleus:owner:${prefix}`, properties: { role: 'technical' } },
        { kind: 'HAS_FIELD', from: hub, to: field },
      ],
    });
    await write({ linkDeletions: [{ kind: 'TAGGED', from: hub, to: tag('c') }] });
    const LINKS = 'kind direction version properties node { urn links(direction: IN) { totalCount } }';
    const links = await pages(
      async (after) =>
        (
          await query(
            `query ($urn: ID!, $after: String) { node(urn: $urn) { links(first: 1, after: $after) { nodes { ${LINKS} } pageInfo { hasNextPage endCursor } } } }`,
            { urn: hub, after },
          )
        ).node.links,
    );
    const link = (kind: string, urn: string, properties = {}) => ({
      kind,
      direction: 'OUT',
      version: 1,
      properties,
      node: { urn, links: { totalCount: 1 } },
    });
    expect(links).toEqual([
      link('HAS_FIELD', field),
      link('OWNED_BY', `nucleus:owner:${prefix}`, { role: 'technical' }),
      link('TAGGED', tag('a')),
      link('TAGGED', tag('b')),
    ]);
    const some = await query(
      `query ($urn: ID!) { node(urn: $urn) {
        tags: links(kinds: ["TAGGED"]) { totalCount }  in: links(direction: IN) { totalCount }  none: links(kinds: []) { totalCount } } }`,
      { urn: hub },
    );
    expect(some.node).toEqual({ tags: { totalCount: 2 }, in: { totalCount: 0 }, none: { totalCount: 0 } });
    expect(
      (
        await query('query ($urn: ID!) { node(urn: $urn) { links { nodes { kind direction node { urn } } } } }', {
          urn: tag('a'),
        })
      ).node.links.nodes,
    ).toEqual([{ kind: 'TAGGED', direction: 'IN', node: { urn: hub } }]);
  });

  it('do not show what is deleted at the other end', async () => {
    await write({
      entities: [{ urn: dataset('end') }, { urn: tag('end') }],
      links: [{ kind: 'TAGGED', from: dataset('end'), to: tag('end') }],
    });
    await write({ deletions: [{ urn: tag('end') }] });
    expect(
      (
        await query('query ($urn: ID!) { node(urn: $urn) { links { totalCount nodes { kind } } } }', {
          urn: dataset('end'),
        })
      ).node.links,
    ).toEqual({ totalCount: 0, nodes: [] });
  });
});

describe('the history of an entity', () => {
  it('tells who changed what, the latest first, page by page', async () => {
    const urn = dataset('history');
    await write({ entities: [{ urn, properties: { rowCount: 1, attributes: { a: 1 } } }] });
    await write({ entities: [{ urn, properties: { rowCount: 2 } }] });
    const last = await write({ deletions: [{ urn }] });
    const changes = await pages(
      async (after) =>
        (
          await query(
            'query ($urn: ID!, $after: String) { changes(urn: $urn, first: 2, after: $after) { nodes { commit actor runId item { operation kind version before after } } pageInfo { hasNextPage endCursor } } }',
            { urn, after },
          )
        ).changes,
    );
    expect(changes).toMatchObject([
      {
        commit: encodeEventCursor(last.sequence ?? 0),
        actor: prefix,
        runId: null,
        item: { operation: 'DELETED', kind: 'Dataset', version: 3 },
      },
      { item: { operation: 'UPDATED', version: 2, before: { rowCount: 1 }, after: { rowCount: 2 } } },
      { item: { operation: 'CREATED', version: 1, before: {}, after: { rowCount: 1, attributes: { a: 1 } } } },
    ]);
  });

  it('is told nothing of what is hidden, and neither is a look at the entity', async () => {
    const [id, urn] = [`${prefix}-endpoint`, endpointUrn(`${prefix}-endpoint`)];
    await graph.store.upsertEntity(
      { kind: 'MetadataEndpoint', urn, name: id, properties: { id, config: '{"password":"sealed"}' } },
      { actor: 'test' },
    );
    const { node, changes } = await query(
      'query ($urn: ID!) { node(urn: $urn) { properties } changes(urn: $urn) { nodes { item { before after } } } }',
      { urn },
    );
    expect(node.properties).toEqual({ id });
    expect(changes.nodes).toHaveLength(1);
    expect(JSON.stringify(changes)).not.toContain('sealed');
  });

  it('starts and ends in the change log', async () => {
    const { changeLog } = await query('{ changeLog { head oldest } }');
    expect(changeLog).toEqual({ head: expect.any(String), oldest: expect.any(String) });
  });
});

describe('a read after a commit', () => {
  const READ = '{ changeLog { head } }';

  it('waits until the graph holds it', async () => {
    const head = await graph.log.head();
    const reading = app.graphql(READ, {}, { 'Nucleus-Read-After': encodeEventCursor(head + 1) });
    await write({ entities: [{ urn: dataset('read-after') }] });
    expect((await reading).errors).toBeUndefined();
  });

  it('takes the latest of several commits', async () => {
    const head = await graph.log.head();
    const answer = await app.graphql(
      READ,
      {},
      { 'Nucleus-Read-After': `${encodeEventCursor(1)}, ${encodeEventCursor(head)}` },
    );
    expect(answer.errors).toBeUndefined();
  });

  it('that never comes ends as a TIMEOUT', async () => {
    const head = await graph.log.head();
    const answer = await app.graphql(READ, {}, { 'Nucleus-Read-After': encodeEventCursor(head + 1_000_000) });
    expect(answer.errors).toMatchObject([{ extensions: { code: 'TIMEOUT', retryable: true } }]);
  });

  it('that is none is refused', async () => {
    const answer = await app.graphql(READ, {}, { 'Nucleus-Read-After': 'nonsense' });
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('the generated reads', () => {
  const READ = `query ($urn: ID!) { datasets(where: { urn: { eq: $urn } }, limit: 5) {
    urn name version createdAt tags { urn name datasets { urn } } owners(first: 1) { urn } domain { name } } }`;

  it('hide deleted entities, deleted links and placeholders', async () => {
    const urn = dataset('generated');
    const tags = ['kept', 'deleted', 'unlinked'].map((name) => tag(`generated-${name}`));
    await write({
      entities: [{ urn }, ...tags.map((one) => ({ urn: one }))],
      links: tags.map((to) => ({ kind: 'TAGGED', from: urn, to })),
    });
    await write({
      deletions: [{ urn: tag('generated-deleted') }],
      linkDeletions: [{ kind: 'TAGGED', from: urn, to: tag('generated-unlinked') }],
    });
    await graph.knowledge.writer.write(
      {
        links: [
          { kind: 'IN_DOMAIN', from: urn, to: `nucleus:domain:${prefix}` },
          { kind: 'OWNED_BY', from: urn, to: `nucleus:owner:${prefix}-later` },
        ],
      },
      { actor: prefix },
      { allowPlaceholders: true },
    );
    const [found] = (await query(READ, { urn })).datasets;
    expect(found).toEqual({
      urn,
      name: 'generated',
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      tags: [{ urn: tags[0], name: `${prefix}-generated-kept`, datasets: [{ urn }] }],
      owners: [],
      domain: null,
    });
    expect((await query(READ, { urn: tags[1] })).datasets).toEqual([]);
    await write({ deletions: [{ urn }] });
    expect((await query(READ, { urn })).datasets).toEqual([]);
    expect(
      (
        await query('query ($urn: ID!) { domains(where: { urn: { eq: $urn } }, limit: 1) { urn } }', {
          urn: `nucleus:domain:${prefix}`,
        })
      ).domains,
    ).toEqual([]);
  });

  it('tell the type of nodes of a connection of which nothing else is asked', async () => {
    const text =
      'query { datasetsConnection(first: 1) { edges { ...Edge } } } fragment Edge on DatasetEdge { of: node { __typename } }';
    expect((await query(text, {})).datasetsConnection.edges).toEqual([{ of: { __typename: 'Dataset' } }]);
  });

  it('answer each selection of a connection by its own, whatever it is called', async () => {
    await write({
      entities: [{ urn: dataset('twice'), properties: { description: 'd' } }, { urn: tag('1') }, { urn: tag('2') }],
    });
    await write({ links: ['1', '2'].map((name) => ({ kind: 'TAGGED', from: dataset('twice'), to: tag(name) })) });
    const text = `query ($urn: ID!, $two: Int!) { datasetsConnection(where: { urn: { eq: $urn } }, first: 1) {
      totalCount: pageInfo { endCursor: hasNextPage } pageInfo: totalCount
      edges { cursor: node { x: name urn: version tags(first: 1) { urn } } node: cursor ...Edge }
      again: edges { cursor: node { x: urn tags(first: $two) { urn } } }
    } } fragment Edge on DatasetEdge { other: node { ...Node } } fragment Node on Dataset { x: description tags(first: $two) { urn } }`;
    const [one, two] = [[{ urn: tag('1') }], [{ urn: tag('1') }, { urn: tag('2') }]];
    expect((await query(text, { urn: dataset('twice'), two: 2 })).datasetsConnection).toEqual({
      totalCount: { endCursor: false },
      pageInfo: 1,
      edges: [{ cursor: { x: 'twice', urn: 1, tags: one }, node: expect.any(String), other: { x: 'd', tags: two } }],
      again: [{ cursor: { x: dataset('twice'), tags: two } }],
    });
  });

  it('answer under aliases, and take a filter that is null for none', async () => {
    await write({
      entities: [{ urn: dataset('aliases') }, { urn: tag('aliases') }],
      links: [{ kind: 'TAGGED', from: dataset('aliases'), to: tag('aliases') }],
    });
    const { found } = await query(
      `query ($urn: ID!, $none: StringScalarFilters) { found: datasets(where: { urn: { eq: $urn }, name: $none, AND: [{ name: null, format: { eq: null }, domain: { urn: {} } }], domain: { AND: [{ urn: {} }], NOT: { name: null } }, OR: null }, limit: 5, sort: null) {
        id: urn labels: tags { label: name } since: createdAt } }`,
      { urn: dataset('aliases'), none: null },
    );
    expect(found).toEqual([
      { id: dataset('aliases'), labels: [{ label: `${prefix}-aliases` }], since: expect.stringMatching(/Z$/) },
    ]);
  });

  it('filter by instants', async () => {
    await write({ entities: [{ urn: dataset('instants') }] });
    const read = async (since: string) =>
      (
        await query(
          'query ($urn: ID!, $since: DateTime!) { datasets(where: { urn: { eq: $urn }, createdAt: { gt: $since } }, limit: 1) { urn } }',
          { urn: dataset('instants'), since },
        )
      ).datasets;
    expect(await read('2020-01-01T00:00:00Z')).toHaveLength(1);
    expect(await read('2999-01-01T00:00:00+01:00')).toEqual([]);
  });

  it('work over a WebSocket too', async () => {
    await write({ entities: [{ urn: dataset('socket') }] });
    const client = createClient({ url: app.socketUrl, webSocketImpl: WebSocket });
    try {
      const answers = client.iterate<{ datasets: unknown[] }>({ query: READ, variables: { urn: dataset('socket') } });
      const { value } = await answers.next();
      expect(value.data.datasets).toMatchObject([{ urn: dataset('socket') }]);
    } finally {
      await client.dispose();
    }
  });
});

async function defineKind(name: string): Promise<{ name: string; urnKind: string }> {
  const kind = { name: `${name}${prefix.slice(-8)}`, urnKind: `${name.toLowerCase()}-${prefix.slice(-8)}` };
  await graph.knowledge.kinds.define(
    { ...kind, description: 'Of a test.', keyParts: ['name'], properties: {}, links: [] },
    { actor: prefix },
  );
  return kind;
}
