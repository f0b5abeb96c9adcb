import neo4j from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedKnowledgeWriter } from '../../graph-store/knowledge-writer.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const prefix = uniquePrefix('knowledge-writes');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('knowledge-writes')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

const dataset = (name: string): string => `nucleus:dataset:${prefix}:${name}`;
const tag = (name: string): string => `nucleus:tag:${prefix}-${name}`;

const RESULTS = `commit transactions replayed userErrors { code field message elementIndex }
  entities { urn outcome version entity { urn kind name labels properties } }
  links { kind from to outcome version }`;

const upsert = async (input: object) => {
  const answer = await app.graphql(`mutation ($input: UpsertInput!) { upsert(input: $input) { ${RESULTS} } }`, {
    input,
  });
  expect(answer.errors).toBeUndefined();
  return answer.data.upsert;
};

const remove = async (input: object) => {
  const answer = await app.graphql(`mutation ($input: DeleteInput!) { delete(input: $input) { ${RESULTS} } }`, {
    input,
  });
  expect(answer.errors).toBeUndefined();
  return answer.data.delete;
};

const stored = async (urn: string) => (await graph.knowledge.reader.nodes([urn], { includeDeleted: true }))[0];

describe('a write that is committed', () => {
  it('is answered also when the versions of its refused items cannot be read', async () => {
    await using driver = neo4j.driver('bolt://127.0.0.1:1', undefined, { maxTransactionRetryTime: 0 });
    const writer = new CheckedKnowledgeWriter({ driver, store: graph.store, kinds: graph.knowledge.kinds });
    const [good, bad] = [dataset('committed'), dataset('refused')];
    const write = { entities: [{ urn: good }, { urn: bad, properties: { rowCount: 'many' } }] };
    expect(await writer.write(write, { actor: 'test' })).toMatchObject({
      sequence: expect.any(Number),
      entities: [
        { urn: good, outcome: 'created', version: 1 },
        { urn: bad, outcome: 'refused', version: 0 },
      ],
    });
  });
});

describe('an upsert', () => {
  it('creates entities and links and shows them as they are then', async () => {
    const input = {
      entities: [
        {
          kind: 'Dataset',
          key: { namespace: prefix, name: 'orders' },
          properties: { rowCount: 5, attributes: { b: [1], a: null } },
        },
        { urn: tag('pii'), name: 'Personal data' },
      ],
      links: [{ kind: 'TAGGED', from: dataset('orders'), to: tag('pii') }],
    };
    expect(await upsert(input)).toEqual({
      commit: expect.any(String),
      transactions: 1,
      replayed: false,
      userErrors: [],
      entities: [
        {
          urn: dataset('orders'),
          outcome: 'CREATED',
          version: 1,
          entity: {
            urn: dataset('orders'),
            kind: 'Dataset',
            name: 'orders',
            labels: ['Dataset'],
            properties: { namespace: prefix, rowCount: 5, attributes: { a: null, b: [1] } },
          },
        },
        { urn: tag('pii'), outcome: 'CREATED', version: 1, entity: expect.objectContaining({ name: 'Personal data' }) },
      ],
      links: [{ kind: 'TAGGED', from: dataset('orders'), to: tag('pii'), outcome: 'CREATED', version: 1 }],
    });
    const again = await upsert(input);
    expect(again.commit).toBeNull();
    expect([...again.entities, ...again.links].map(({ outcome }) => outcome)).toEqual([
      'UNCHANGED',
      'UNCHANGED',
      'UNCHANGED',
    ]);
  });

  it('changes what is given, keeps what is left out and removes what is null', async () => {
    await upsert({ entities: [{ urn: dataset('partial'), properties: { format: 'parquet', type: 'table' } }] });
    const changed = await upsert({
      entities: [{ urn: dataset('partial'), properties: { format: null, sizeBytes: 7 } }],
    });
    expect(changed.entities[0]).toMatchObject({
      outcome: 'UPDATED',
      version: 2,
      entity: { properties: { namespace: prefix, type: 'table', sizeBytes: 7 } },
    });
  });

  it('compares versions', async () => {
    const write = (ifVersion: number) =>
      upsert({ entities: [{ urn: dataset('versions'), properties: { rowCount: ifVersion }, ifVersion }] });
    expect((await write(0)).entities[0]).toMatchObject({ outcome: 'CREATED', version: 1 });
    expect((await write(1)).entities[0]).toMatchObject({ outcome: 'UPDATED', version: 2 });
    const stale = await write(1);
    expect(stale).toMatchObject({
      commit: null,
      entities: [{ outcome: 'REFUSED', version: 2, entity: null }],
      userErrors: [{ code: 'CONFLICT', field: 'input.entities.0.ifVersion', elementIndex: 0 }],
    });
  });

  it('stands item by item, each with what is wrong with it', async () => {
    const answer = await upsert({
      entities: [
        { urn: dataset('bad'), properties: { rowCount: 'many' } },
        { urn: dataset('good'), properties: { rowCount: 1 } },
        { urn: dataset('good') },
      ],
      links: [
        { kind: 'TAGGED', from: dataset('good'), to: tag('missing') },
        { kind: 'LIKES', from: dataset('good'), to: dataset('good') },
      ],
    });
    expect(answer.entities.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'REFUSED',
      'CREATED',
      'REFUSED',
    ]);
    expect(answer.links.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['REFUSED', 'REFUSED']);
    expect(answer.userErrors).toEqual([
      {
        code: 'BAD_USER_INPUT',
        field: 'input.entities.0.properties.rowCount',
        message: 'must be a whole number, got a string of 4 characters',
        elementIndex: 0,
      },
      {
        code: 'BAD_USER_INPUT',
        field: 'input.entities.2',
        message: expect.stringContaining('names the same as element 1'),
        elementIndex: 2,
      },
      {
        code: 'NOT_FOUND',
        field: expect.stringMatching(/^input\.links\.0\./),
        message: expect.any(String),
        elementIndex: 0,
      },
      {
        code: 'BAD_USER_INPUT',
        field: 'input.links.1.kind',
        message: expect.stringContaining('is no link that Dataset may have'),
        elementIndex: 1,
      },
    ]);
    expect(await stored(tag('missing'))).toBeNull();
  });

  it('that is atomic writes nothing when one item is refused, whoever refuses it', async () => {
    const refusedByRule = await upsert({
      atomic: true,
      entities: [{ urn: dataset('atomic') }, { urn: dataset('atomic-bad'), properties: { nope: 1 } }],
    });
    expect(refusedByRule).toMatchObject({
      commit: null,
      transactions: 0,
      entities: [
        { outcome: 'REFUSED', version: 0 },
        { outcome: 'REFUSED', version: 0 },
      ],
      userErrors: [{ field: 'input.entities.1.properties.nope', elementIndex: 1 }],
    });
    await upsert({ entities: [{ urn: dataset('atomic-there') }] });
    const refusedByState = await upsert({
      atomic: true,
      entities: [{ urn: dataset('atomic') }, { urn: dataset('atomic-there'), ifVersion: 7 }],
      links: [{ kind: 'TAGGED', from: dataset('atomic'), to: tag('nowhere') }],
    });
    expect(refusedByState).toMatchObject({
      commit: null,
      entities: [
        { outcome: 'REFUSED', version: 0 },
        { outcome: 'REFUSED', version: 1 },
      ],
      links: [{ outcome: 'REFUSED', version: 0 }],
      userErrors: [
        { code: 'CONFLICT', field: 'input.entities.1.ifVersion' },
        { code: 'NOT_FOUND', elementIndex: 0 },
      ],
    });
    expect(await stored(dataset('atomic'))).toBeNull();
  });

  it('makes placeholders where it may, and fills them in later', async () => {
    const links = [{ kind: 'TAGGED', from: dataset('early'), to: tag('later') }];
    expect(await upsert({ links, allowPlaceholders: true })).toMatchObject({
      links: [{ outcome: 'CREATED' }],
      userErrors: [],
    });
    expect(await graph.knowledge.reader.nodes([tag('later')])).toEqual([null]);
    expect(await stored(tag('later'))).toMatchObject({ placeholder: true, kind: 'Tag', version: 0 });
    const filled = await upsert({ entities: [{ urn: tag('later'), ifVersion: 0 }, { urn: dataset('early') }] });
    expect(filled.entities).toMatchObject([{ outcome: 'CREATED', version: 1 }, { outcome: 'CREATED' }]);
    expect(await stored(tag('later'))).toMatchObject({ placeholder: false, labels: ['Tag'] });
  });

  it('answers a repeated key as the first time, and refuses it for another request', async () => {
    const idempotencyKey = `${prefix}-key`;
    const first = await upsert({ idempotencyKey, entities: [{ urn: dataset('once'), properties: { rowCount: 1 } }] });
    await upsert({ entities: [{ urn: dataset('once'), properties: { rowCount: 2 } }] });
    const again = await upsert({ idempotencyKey, entities: [{ urn: dataset('once'), properties: { rowCount: 1 } }] });
    expect(again).toMatchObject({
      replayed: true,
      commit: first.commit,
      entities: [{ outcome: 'CREATED', version: 1 }],
    });
    expect(await stored(dataset('once'))).toMatchObject({ properties: { rowCount: 2 } });
    const other = await upsert({ idempotencyKey, entities: [{ urn: dataset('twice') }] });
    expect(other).toMatchObject({ entities: [], userErrors: [{ code: 'CONFLICT', field: 'input.idempotencyKey' }] });
    expect(await upsert({ idempotencyKey: 'a\u0000b', entities: [] })).toMatchObject({
      userErrors: [{ code: 'BAD_USER_INPUT', field: 'input.idempotencyKey' }],
    });
  });

  it('that is atomic and too large is refused as a whole', async () => {
    const entities = Array.from({ length: 5_001 }, (_, index) => ({ urn: dataset(`large-${index}`) }));
    const answer = await app.graphql('mutation ($input: UpsertInput!) { upsert(input: $input) { commit } }', {
      input: { atomic: true, entities },
    });
    expect(answer.errors).toMatchObject([{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }]);
    expect(await stored(dataset('large-0'))).toBeNull();
  });
});

describe('bad input', () => {
  it.each([
    ['an unknown kind', { kind: 'Nope', key: { name: 'x' } }, 'kind'],
    ['an unknown property', { urn: dataset('input'), properties: { nope: 1 } }, 'properties.nope'],
    ['a wrong type', { urn: dataset('input'), properties: { rowCount: true } }, 'properties.rowCount'],
    ['a label with backticks', { kind: 'Dataset`:Admin', key: { name: 'x' } }, 'kind'],
    ['a property with backticks', { urn: dataset('input'), properties: { 'a` = 1 //': 1 } }, 'properties'],
    ['a property with control characters', { urn: dataset('input'), properties: { 'a\u0000': 1 } }, 'properties'],
    ['a key with control characters', { kind: 'Tag', key: { name: 'a\u0001b' } }, 'key.name'],
    ['a whole number above 2^53', { urn: dataset('input'), properties: { rowCount: 2 ** 53 } }, 'properties.rowCount'],
    [
      'a string of 1 MB',
      { urn: dataset('input'), properties: { description: 'x'.repeat(900_000) } },
      'properties.description',
    ],
    ['a version that is negative', { urn: dataset('input'), ifVersion: -1 }, 'ifVersion'],
    ['a kind of Nucleus', { urn: 'nucleus:endpoint:crm', properties: { config: {} } }, 'urn'],
  ])('such as %s is told with its field, and nothing is written', async (_, entity, field) => {
    const answer = await upsert({ entities: [entity] });
    expect(answer).toMatchObject({
      commit: null,
      entities: [{ outcome: 'REFUSED' }],
      userErrors: [{ code: 'BAD_USER_INPUT', field: `input.entities.0.${field}`, elementIndex: 0 }],
    });
    expect(answer.userErrors[0].message.length).toBeLessThan(400);
    expect(await stored(dataset('input'))).toBeNull();
  });

  it('such as NaN, which no JSON holds, is refused in the document', async () => {
    const answer = await app.graphql(
      `mutation { upsert(input: { entities: [{ urn: "${dataset('input')}", properties: { rowCount: NaN } }] }) { userErrors { field message } } }`,
    );
    expect(answer.data.upsert.userErrors).toMatchObject([{ field: 'input.entities.0.properties.rowCount' }]);
    const huge = await app.graphql(
      `mutation { upsert(input: { entities: [{ urn: "${dataset('input')}", properties: { rowCount: 9007199254740993 } }] }) { commit } }`,
    );
    expect(huge.errors).toMatchObject([{ extensions: { retryable: false } }]);
    expect(huge.errors?.[0]?.extensions.code).not.toBe('INTERNAL_SERVER_ERROR');
  });
});

describe('a deletion', () => {
  it('hides entities and links until the next upsert brings them back', async () => {
    await upsert({
      entities: [{ urn: dataset('gone'), properties: { rowCount: 3 } }, { urn: tag('stays') }],
      links: [{ kind: 'TAGGED', from: dataset('gone'), to: tag('stays') }],
    });
    const unlinked = await remove({ links: [{ kind: 'TAGGED', from: dataset('gone'), to: tag('stays') }] });
    expect(unlinked).toMatchObject({ commit: expect.any(String), links: [{ outcome: 'DELETED', version: 2 }] });
    const deleted = await remove({ entities: [{ urn: dataset('gone'), ifVersion: 1 }] });
    expect(deleted.entities).toEqual([{ urn: dataset('gone'), outcome: 'DELETED', version: 2, entity: null }]);
    expect(await graph.knowledge.reader.nodes([dataset('gone')])).toEqual([null]);
    const again = await remove({ entities: [{ urn: dataset('gone') }, { urn: dataset('never') }] });
    expect(again.userErrors).toMatchObject([
      { code: 'NOT_FOUND', field: expect.stringMatching(/^input\.entities\.0/) },
      { code: 'NOT_FOUND', field: expect.stringMatching(/^input\.entities\.1/) },
    ]);
    const back = await upsert({ entities: [{ urn: dataset('gone') }] });
    expect(back.entities).toMatchObject([{ outcome: 'REVIVED', version: 3, entity: { properties: { rowCount: 3 } } }]);
  });

  it('is refused for what Nucleus itself writes', async () => {
    const refused = await remove({
      entities: [{ urn: 'nucleus:run:1' }, { urn: 'nucleus:job:nucleus-ingestion:a%2Fb' }],
    });
    expect(refused.userErrors).toMatchObject([{ field: 'input.entities.0.urn' }, { field: 'input.entities.1.urn' }]);
  });

  it('for good leaves nothing but the record that there was something', async () => {
    const urn = dataset('secret');
    await upsert({ entities: [{ urn, properties: { description: 'do not keep this' } }] });
    const answer = await app.graphql(
      'mutation ($input: PurgeInput!) { purge(input: $input) { commit entities { urn outcome entity { urn } } userErrors { field } } }',
      {
        input: { entities: [{ urn }] },
      },
    );
    expect(answer.data.purge).toMatchObject({ entities: [{ urn, outcome: 'PURGED', entity: null }], userErrors: [] });
    expect(await stored(urn)).toBeNull();
    const changes = await graph.query('MATCH (c:Change) WHERE c.items CONTAINS $urn RETURN c.items AS items', { urn });
    expect(changes.length).toBeGreaterThan(0);
    expect(JSON.stringify(changes)).not.toContain('do not keep this');
  });
});
