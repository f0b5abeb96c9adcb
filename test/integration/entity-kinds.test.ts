import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_KINDS } from '#graph-schema';
import { type Knowledge, openKnowledge } from '#graph-store';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const unique = uniquePrefix('x').slice(-8);

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
/** The knowledge base as another server process has it: with a copy of the kinds of its own. */
let elsewhere: Knowledge;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('entity-kinds')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
  elsewhere = openKnowledge(graph.driver, graph.store, graph.log);
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

const define = async (input: object) => {
  const answer = await app.graphql(
    `mutation ($input: DefineEntityKindInput!) { defineEntityKind(input: $input) {
      commit userErrors { code field message elementIndex }
      kind { name origin urnKind keyParts properties { name type required description } links { kind to properties { name type } } } } }`,
    { input },
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.defineEntityKind;
};

const context = { actor: 'test' };
const kindName = (name: string): string => `${name}${unique}`;

describe('a kind of entity', () => {
  it('that ships with Nucleus is there with what may be written of it, and nothing that is hidden', async () => {
    const { data } = await app.graphql('{ entityKinds { name origin properties { name } links { kind } } }');
    for (const kind of BUILT_IN_KINDS) {
      const shown = data.entityKinds.find(({ name }: { name: string }) => name === kind.name);
      expect(shown).toMatchObject({ origin: kind.origin });
      const properties = Object.keys(kind.properties).filter((name) => !kind.properties[name]?.hidden);
      expect(shown.properties.map(({ name }: { name: string }) => name)).toEqual(properties);
    }
  });

  it('is defined, written, linked, read and found in the change log', async () => {
    const name = kindName('Issue');
    const defined = await define({
      name,
      description: 'An issue.',
      keyParts: ['project', 'number'],
      properties: [
        { name: 'summary', type: 'STRING', required: true, description: 'In one line.' },
        { name: 'details', type: 'JSON' },
      ],
      links: [{ kind: 'ABOUT', to: ['*'], properties: [{ name: 'why', type: 'STRING' }] }],
    });
    const urnKind = `issue${unique}`;
    expect(defined).toMatchObject({
      userErrors: [],
      commit: expect.any(String),
      kind: {
        name,
        origin: 'CUSTOM',
        urnKind: expect.stringContaining('issue'),
        keyParts: ['project', 'number'],
        properties: expect.arrayContaining([
          { name: 'summary', type: 'STRING', required: true, description: 'In one line.' },
        ]),
        links: expect.arrayContaining([{ kind: 'ABOUT', to: ['*'], properties: [{ name: 'why', type: 'STRING' }] }]),
      },
    });
    const urn = `nucleus:${defined.kind.urnKind}:NUC:${urnKind}`;
    const refused = await graph.knowledge.writer.write({ entities: [{ urn }] }, context);
    expect(refused.entities).toMatchObject([{ outcome: 'refused', refusal: { field: 'properties.summary' } }]);
    const written = await graph.knowledge.writer.write(
      {
        entities: [
          { urn, properties: { summary: 'First', details: { b: 1, a: 2 } } },
          { urn: `nucleus:tag:${unique}` },
        ],
        links: [
          { kind: 'ABOUT', from: urn, to: `nucleus:tag:${unique}`, properties: { why: 'x' } },
          { kind: 'TAGGED', from: urn, to: `nucleus:tag:${unique}` },
        ],
      },
      context,
    );
    expect([...written.entities, ...written.links].map(({ outcome }) => outcome)).toEqual([
      'created',
      'created',
      'created',
      'created',
    ]);
    const removal = await graph.knowledge.writer.write({ entities: [{ urn, properties: { summary: null } }] }, context);
    expect(removal.entities).toMatchObject([{ outcome: 'refused', refusal: { field: 'properties.summary' } }]);
    const { data } = await app.graphql(
      'query ($urn: ID!) { node(urn: $urn) { kind labels properties links { nodes { kind properties } } } changes(urn: $urn) { nodes { item { after } } } }',
      { urn },
    );
    expect(data.node).toEqual({
      kind: name,
      labels: [name],
      properties: { project: 'NUC', number: urnKind, summary: 'First', details: { a: 2, b: 1 } },
      links: {
        nodes: [
          { kind: 'ABOUT', properties: { why: 'x' } },
          { kind: 'TAGGED', properties: {} },
        ],
      },
    });
    expect(data.changes.nodes).toMatchObject([{ item: { after: { details: { a: 2, b: 1 } } } }]);
    const log = await app.graphql(
      'query ($urn: ID!) { changes(urn: $urn) { nodes { actor item { operation kind after } } } }',
      { urn: `nucleus:kind:${name}` },
    );
    expect(log.data.changes.nodes).toMatchObject([
      {
        actor: 'api',
        item: { operation: 'CREATED', kind: 'KindDefinition', after: { keyParts: ['project', 'number'] } },
      },
    ]);
  });

  it('is refused with everything that is wrong with it', async () => {
    const refused = await define({
      name: 'Dataset',
      description: '',
      properties: [{ name: 'urn', type: 'STRING' }],
      links: [{ kind: 'FEEDS', to: ['Nope'] }],
    });
    expect(refused).toMatchObject({ kind: null, commit: null });
    expect(refused.userErrors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'input.links.FEEDS',
      'input.links.FEEDS.to',
      'input.name',
      'input.properties.urn',
    ]);
    const twice = await define({
      name: kindName('Twice'),
      description: '',
      properties: [
        { name: 'a', type: 'STRING' },
        { name: 'a', type: 'JSON' },
      ],
    });
    expect(twice.userErrors).toEqual([
      { code: 'BAD_USER_INPUT', field: 'input.properties.1.name', message: 'is given twice', elementIndex: 1 },
    ]);
  });

  it('only grows, and the same again changes nothing', async () => {
    const name = kindName('Page');
    const first = { name, description: 'A page.', properties: [{ name: 'title', type: 'STRING' }] };
    await define(first);
    expect(await define(first)).toMatchObject({ commit: null, userErrors: [] });
    const grown = await define({ name, description: 'A page.', properties: [{ name: 'views', type: 'INTEGER' }] });
    expect(grown.kind.properties.map(({ name: property }: { name: string }) => property)).toEqual(['title', 'views']);
    const retyped = await define({ name, description: 'A page.', properties: [{ name: 'views', type: 'STRING' }] });
    expect(retyped.userErrors).toMatchObject([
      { field: 'input.properties.views', message: expect.stringContaining('is of type INTEGER already') },
    ]);
  });
});

describe('several server processes', () => {
  it('know of a kind that one of them has defined, without being told', async () => {
    const name = kindName('Shared');
    await elsewhere.kinds.known();
    await define({
      name,
      description: 'Shared.',
      urnKind: `shared-${unique}`,
      properties: [{ name: 'a', type: 'JSON' }],
    });
    const write = (properties: object) =>
      elsewhere.writer.write(
        { entities: [{ kind: name, key: { name: 'one' }, properties: properties as never }] },
        context,
      );
    expect((await write({ a: [1] })).entities).toMatchObject([{ outcome: 'created' }]);
    await define({
      name,
      description: 'Shared.',
      urnKind: `shared-${unique}`,
      properties: [{ name: 'b', type: 'JSON' }],
    });
    expect((await write({ b: [2] })).entities).toMatchObject([{ outcome: 'updated' }]);
    expect((await write({ c: 3 })).entities).toMatchObject([{ outcome: 'refused' }]);
  });

  it('read what others have written of kinds that are new to them', async () => {
    const name = kindName('Fresh');
    await elsewhere.kinds.known();
    await define({
      name,
      description: 'Fresh.',
      urnKind: `fresh-${unique}`,
      properties: [{ name: 'a', type: 'JSON' }],
    });
    const urn = `nucleus:fresh-${unique}:one`;
    await graph.knowledge.writer.write({ entities: [{ urn, properties: { a: { b: 1 } } }] }, context);
    expect(await elsewhere.reader.nodes([urn])).toMatchObject([{ kind: name, properties: { a: { b: 1 } } }]);
  });

  it('that define one kind at the same time all succeed, and nothing of it is lost', async () => {
    const name = kindName('Race');
    const urnKind = `race-${unique}`;
    const definers = [graph.knowledge, elsewhere, graph.knowledge, elsewhere];
    await Promise.all(
      definers.map(({ kinds }, index) =>
        kinds.define(
          {
            name,
            description: 'Race.',
            urnKind,
            keyParts: ['name'],
            properties: { [`p${index}`]: { type: 'STRING' } },
            links: [],
          },
          context,
        ),
      ),
    );
    const kind = (await elsewhere.kinds.refresh()).find(name);
    expect(Object.keys(kind?.properties ?? {}).sort()).toEqual(['p0', 'p1', 'p2', 'p3']);
  });

  it('never give two kinds the same urns', async () => {
    const urnKind = `taken-${unique}`;
    const define = (kinds: Knowledge['kinds'], name: string) =>
      kinds.define(
        { name: kindName(name), description: '', urnKind, keyParts: ['name'], properties: {}, links: [] },
        context,
      );
    const results = await Promise.allSettled([
      define(graph.knowledge.kinds, 'TakenA'),
      define(elsewhere.kinds, 'TakenB'),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')).toMatchObject({
      reason: { problems: [{ field: 'urnKind' }] },
    });
  });
});
