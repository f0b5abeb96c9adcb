import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policySchema } from '#ingestion/contracts';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('mutations');
const SOURCE = `${PREFIX}-source`;
const LAKE = `${PREFIX}-lake`;
const TABLES = `${PREFIX}-tables`;
const PASSWORD = `canary-${PREFIX}`;
const POSTGRES = { host: 'db', database: 'shop', user: 'reader', password: PASSWORD };

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  // Nobody works in this namespace, so a run that is started stays running.
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('mutations')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
  await register({ id: SOURCE, config: POSTGRES });
  await register({ id: LAKE, templateId: 'parquet_files', config: { directory: '/lake' } });
  await register({ id: TABLES, templateId: 'iceberg', config: { warehouse: '/tables' } });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

async function mutate(field: string, type: string, input: object, selection: string) {
  const { data, errors } = await app.graphql(
    `mutation M($input: ${type}!) { ${field}(input: $input) { ${selection} userErrors { code field message elementIndex } } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return data[field];
}

const ENDPOINT = 'commit endpoint { id name config secretsSet version browserUrl }';
const register = ({ templateId = 'jdbc_postgres', ...input }: { id: string; templateId?: string; config: object }) =>
  mutate('registerMetadataEndpoint', 'RegisterMetadataEndpointInput', { templateId, ...input }, ENDPOINT);
const update = (input: object) => mutate('updateMetadataEndpoint', 'UpdateMetadataEndpointInput', input, ENDPOINT);
const remove = (input: object) =>
  mutate('deleteMetadataEndpoint', 'DeleteMetadataEndpointInput', input, 'commit deletedUrns');
const start = (input: object) =>
  mutate('startIngestion', 'StartIngestionInput', input, 'runId runs { runId sinkId } alreadyRunning');
const cancel = (input: object) =>
  mutate('cancelIngestion', 'CancelIngestionInput', input, 'runId runs { runId sinkId }');

const define = (change: object) =>
  mutate(
    'defineIngestionUnit',
    'DefineIngestionUnitInput',
    {
      endpointId: SOURCE,
      object: { table: 'orders' },
      mode: 'INCREMENTAL',
      cursorField: 'updated_at',
      primaryKey: ['id'],
      sinks: [{ endpointId: LAKE, writeMode: 'APPEND' }],
      ...change,
    },
    'commit unit { id name mode object version sinks { endpointId target writeMode } }',
  );

/** What is wrong, without the words. */
const faults = (payload: { userErrors: { code: string; field: string; elementIndex: number | null }[] }) =>
  payload.userErrors.map(({ code, field, elementIndex }) =>
    elementIndex === null ? `${code} ${field}` : `${code} ${field} [${elementIndex}]`,
  );

const storedConfig = async (id: string) => (await graph.catalog.endpoint(id))?.config as { password?: unknown };

describe('registerMetadataEndpoint', () => {
  it('names every field that breaks a rule, and writes nothing', async () => {
    const id = `${PREFIX}-broken`;
    const config = { host: '', port: 70_000, user: 'reader', password: PASSWORD, sslMode: 'maybe', typo: 1 };
    const payload = await register({ id, config });
    expect(faults(payload).sort()).toEqual(
      ['database', 'host', 'port', 'sslMode', 'typo'].map((field) => `BAD_USER_INPUT input.config.${field}`),
    );
    expect(payload).toMatchObject({ endpoint: null, commit: null });
    expect(JSON.stringify(payload)).not.toContain(PASSWORD);
    expect(await graph.catalog.endpoint(id)).toBeUndefined();
  });

  it.each([
    ['an id that is none', { id: 'a::b', config: POSTGRES }, 'BAD_USER_INPUT input.id'],
    ['an unknown template', { id: `${PREFIX}-t`, templateId: 'jdbc_oracle', config: {} }, 'NOT_FOUND input.templateId'],
    ['an id that is taken', { id: SOURCE, config: POSTGRES }, 'CONFLICT input.id'],
    [
      'a secret that is sealed already',
      { id: `${PREFIX}-s`, config: { ...POSTGRES, password: { $sealed: 'v1.AAAA' } } },
      'BAD_USER_INPUT input.config.password',
    ],
  ])('refuses %s', async (_, input, fault) => {
    expect(faults(await register(input))).toEqual([fault]);
  });

  it('never shows the secret again, in no query, no log and nowhere in the graph', async () => {
    const { data } = await app.graphql(
      'query Q($ids: [ID!]) { metadataEndpoints(ids: $ids) { nodes { id name config secretsSet urn browserUrl } } }',
      { ids: [SOURCE] },
    );
    const { password: _, ...shown } = POSTGRES;
    expect(data.metadataEndpoints.nodes).toMatchObject([{ id: SOURCE, config: shown, secretsSet: ['password'] }]);
    expect(JSON.stringify(data)).not.toMatch(/\$sealed/);
    const everything = await graph.query(
      'MATCH (n) WHERE any(key IN keys(n) WHERE toStringOrNull(n[key]) CONTAINS $secret) RETURN labels(n) AS found',
      { secret: PASSWORD },
    );
    expect(everything).toEqual([]);
    expect(app.log()).not.toContain(PASSWORD);
    expect((await storedConfig(SOURCE)).password).toEqual({ $sealed: expect.stringMatching(/^v1\./) });
  });
});

describe('updateMetadataEndpoint', () => {
  it('keeps what is left out, secrets too, and removes what is null', async () => {
    const id = `${PREFIX}-updated`;
    await register({ id, config: { ...POSTGRES, port: 5433 } });
    const { password } = await storedConfig(id);
    const { endpoint } = await update({ id, name: 'Shop', config: { host: 'db2', port: null } });
    expect(endpoint).toMatchObject({
      name: 'Shop',
      config: { host: 'db2', database: 'shop', user: 'reader' },
      secretsSet: ['password'],
      version: 2,
    });
    expect(endpoint.config).not.toHaveProperty('port');
    expect((await storedConfig(id)).password).toEqual(password);

    expect(await update({ id, name: 'Shop', config: { host: 'db2' } })).toMatchObject({ commit: null, userErrors: [] });
    await update({ id, config: { password: 'another' } });
    expect((await storedConfig(id)).password).not.toEqual(password);
  });

  it('refuses an endpoint that does not exist, and a change that breaks the schema', async () => {
    expect(faults(await update({ id: `${PREFIX}-nobody` }))).toEqual(['NOT_FOUND input.id']);
    expect(faults(await update({ id: SOURCE, config: { password: null, port: 'x' } }))).toEqual([
      'BAD_USER_INPUT input.config.password',
      'BAD_USER_INPUT input.config.port',
    ]);
  });
});

describe('defineIngestionUnit', () => {
  it('creates a unit with a status for each sink, and changes nothing when it comes again', async () => {
    const input = { unitId: 'orders', sinks: [{ endpointId: TABLES, writeMode: 'MERGE', target: 'orders_v2' }] };
    const { unit, commit } = await define(input);
    expect(commit).not.toBeNull();
    expect(unit).toMatchObject({
      name: `${SOURCE}/orders`,
      mode: 'INCREMENTAL',
      object: { table: 'orders' },
      sinks: [{ endpointId: TABLES, target: 'orders_v2', writeMode: 'MERGE' }],
    });
    expect(await define(input)).toMatchObject({ commit: null, unit: { version: 1 }, userErrors: [] });
    const { data } = await app.graphql(
      `query Q($id: ID) { ingestionStatuses(endpointId: $id, unitId: "orders") {
        nodes { sinkId state checkpointVersion cursor { value } error { code } } totalCount } }`,
      { id: SOURCE },
    );
    expect(data.ingestionStatuses).toEqual({
      nodes: [{ sinkId: TABLES, state: 'IDLE', checkpointVersion: 0, cursor: null, error: null }],
      totalCount: 1,
    });
  });

  it.each([
    ['an unknown source', { endpointId: 'nobody' }, ['NOT_FOUND input.endpointId']],
    ['a sink as the source', { endpointId: LAKE }, ['BAD_USER_INPUT input.endpointId']],
    [
      'a unit id that is none',
      { unitId: 'a/b', sinks: [{ endpointId: LAKE, target: 't', writeMode: 'APPEND' }] },
      ['BAD_USER_INPUT input.unitId'],
    ],
    [
      'an object of another shape',
      { object: { tabel: 'x' } },
      // A table or a query may be named, and neither is.
      ['', '.query', '.table', '.tabel'].map((path) => `BAD_USER_INPUT input.object${path}`),
    ],
    ['an incremental unit without a cursor', { cursorField: null }, ['BAD_USER_INPUT input.cursorField']],
    ['a full unit with a cursor', { mode: 'FULL' }, ['BAD_USER_INPUT input.cursorField']],
    [
      'a policy with mistakes',
      { policy: { sliceRows: 0, sliceRow: 1 } },
      ['BAD_USER_INPUT input.policy.sliceRows', 'BAD_USER_INPUT input.policy.sliceRow'],
    ],
    ['no sink', { sinks: [] }, ['BAD_USER_INPUT input.sinks']],
    [
      'an unknown sink',
      {
        sinks: [
          { endpointId: LAKE, writeMode: 'APPEND' },
          { endpointId: 'nobody', writeMode: 'APPEND' },
        ],
      },
      ['NOT_FOUND input.sinks.endpointId [1]'],
    ],
    [
      'a source as a sink',
      { sinks: [{ endpointId: SOURCE, writeMode: 'APPEND' }] },
      ['BAD_USER_INPUT input.sinks.endpointId [0]'],
    ],
    [
      'one sink twice',
      {
        sinks: [
          { endpointId: LAKE, writeMode: 'APPEND' },
          { endpointId: LAKE, writeMode: 'APPEND' },
        ],
      },
      ['BAD_USER_INPUT input.sinks'],
    ],
    [
      'a target that no sink can take',
      { sinks: [{ endpointId: LAKE, target: '../etc', writeMode: 'APPEND' }] },
      ['BAD_USER_INPUT input.sinks.target [0]'],
    ],
    [
      'OVERWRITE of an incremental unit',
      { sinks: [{ endpointId: LAKE, writeMode: 'OVERWRITE' }] },
      ['BAD_USER_INPUT input.sinks.writeMode [0]'],
    ],
    [
      'MERGE without a key',
      { primaryKey: [], sinks: [{ endpointId: TABLES, writeMode: 'MERGE' }] },
      ['BAD_USER_INPUT input.sinks.writeMode [0]'],
    ],
    [
      'a write mode that the sink has not',
      { sinks: [{ endpointId: LAKE, writeMode: 'MERGE' }] },
      ['BAD_USER_INPUT input.sinks.writeMode [0]'],
    ],
  ])('refuses %s', async (_, change, expected) => {
    const payload = await define({ unitId: 'refused', ...change });
    expect(faults(payload).sort()).toEqual([...expected].sort());
    expect(payload).toMatchObject({ unit: null, commit: null });
    expect(await graph.catalog.unit(SOURCE, 'refused')).toBeUndefined();
  });

  it.each<[string, object, string[]]>([
    ['a field that there is not', { policy: { slices: 1 } }, ['BAD_USER_INPUT input.policy.slices']],
    ['a value that there is not', { policy: { engine: 'dlt' } }, ['BAD_USER_INPUT input.policy.engine']],
    [
      'a tie-break of the cursor itself',
      { policy: { tieBreakField: 'updated_at' } },
      ['BAD_USER_INPUT input.policy.tieBreakField'],
    ],
    [
      'a tie-break without a cursor',
      { mode: 'FULL', cursorField: null, policy: { tieBreakField: 'id' } },
      ['BAD_USER_INPUT input.policy.tieBreakField'],
    ],
    [
      'deletions in a sink that appends',
      { policy: { deleteField: 'gone' } },
      ['BAD_USER_INPUT input.sinks.writeMode [0]'],
    ],
    [
      'a key as the mark of deletions',
      { policy: { deleteField: 'id' }, sinks: [{ endpointId: TABLES, writeMode: 'MERGE' }] },
      ['BAD_USER_INPUT input.policy.deleteField'],
    ],
  ])('refuses a policy with %s', async (_, change, expected) => {
    expect(faults(await define({ unitId: 'refused_policy', ...change }))).toEqual(expected);
  });

  it('takes every field of a policy, and shows what holds where none was set', async () => {
    const policy = {
      ...{ sliceRows: 1000, lagSeconds: 1.5, lookbackSeconds: 60, nullCursor: 'include', tieBreakField: 'seq' },
      ...{ engine: 'spark', schemaChange: 'evolve', badRows: 'quarantine', maxBadRows: 7, deleteField: 'gone' },
    };
    const EFFECTIVE = `{ ${Object.keys(policy).join(' ')} }`;
    const sinks = [{ endpointId: TABLES, writeMode: 'MERGE' }];
    expect(faults(await define({ unitId: 'with_policy', policy, sinks }))).toEqual([]);
    await define({ unitId: 'without_policy' });
    const shown = async (unitId: string) => {
      const { data } = await app.graphql(
        `query($e: ID, $u: ID) { ingestionUnits(endpointId: $e, unitId: $u) { nodes { policy effectivePolicy ${EFFECTIVE} } } }`,
        { e: SOURCE, u: unitId },
      );
      return data.ingestionUnits.nodes[0];
    };
    expect(await shown('with_policy')).toEqual({ policy, effectivePolicy: policy });
    expect(await shown('without_policy')).toEqual({ policy: {}, effectivePolicy: policySchema.parse({}) });
  });

  it('refuses a target that another unit writes to', async () => {
    await define({ unitId: 'first', sinks: [{ endpointId: LAKE, target: 'shared', writeMode: 'APPEND' }] });
    const second = { unitId: 'second', sinks: [{ endpointId: LAKE, target: 'shared', writeMode: 'APPEND' }] };
    const payload = await define(second);
    expect(faults(payload)).toEqual(['CONFLICT input.sinks.target [0]']);
    expect(payload.userErrors[0].message).toContain(`${SOURCE}/first`);
  });
});

describe('startIngestion and cancelIngestion', () => {
  it('refuse what does not exist', async () => {
    const sinks = [LAKE, TABLES].map((endpointId) => ({ endpointId, writeMode: 'APPEND' }));
    await define({ unitId: 'two_sinks', sinks });
    const unit = { endpointId: SOURCE, unitId: 'two_sinks' };
    expect(faults(await start({ endpointId: 'nobody', unitId: 'x' }))).toEqual(['NOT_FOUND input.endpointId']);
    expect(faults(await start({ endpointId: SOURCE, unitId: 'nothing' }))).toEqual(['NOT_FOUND input.unitId']);
    expect(faults(await start({ ...unit, sinkId: 'nobody' }))).toEqual(['NOT_FOUND input.sinkId']);
    expect(faults(await cancel({ endpointId: SOURCE, unitId: 'nothing' }))).toEqual(['NOT_FOUND input.unitId']);
    expect(await cancel(unit)).toEqual({ runId: null, runs: [], userErrors: [] });
  });

  it('start one run at a time, and stop it by its id', async () => {
    await define({ unitId: 'running' });
    const unit = { endpointId: SOURCE, unitId: 'running' };
    const first = await start(unit);
    const runs = [{ runId: expect.any(String), sinkId: LAKE }];
    expect(first).toEqual({ runId: expect.any(String), runs, alreadyRunning: false, userErrors: [] });
    expect(await start(unit)).toEqual({ ...first, alreadyRunning: true });
    expect(await cancel(unit)).toEqual({ runId: first.runId, runs: first.runs, userErrors: [] });
  });

  it('start a run into each sink of a unit, or into one', async () => {
    const unit = { endpointId: SOURCE, unitId: 'into_both' };
    await define({
      unitId: unit.unitId,
      sinks: [LAKE, TABLES].map((endpointId) => ({ endpointId, writeMode: 'APPEND' })),
    });
    const both = await start(unit);
    expect(both.runs.map(({ sinkId }: { sinkId: string }) => sinkId)).toEqual([LAKE, TABLES].sort());
    expect(both.runId).toBe(both.runs[0].runId);
    const one = await start({ ...unit, sinkId: TABLES });
    expect(one).toMatchObject({ alreadyRunning: true, runs: [{ sinkId: TABLES }], runId: one.runs[0].runId });
    expect(both.runs).toContainEqual(one.runs[0]);
    await define({
      unitId: 'into_either',
      sinks: [LAKE, TABLES].map((endpointId) => ({ endpointId, writeMode: 'APPEND' })),
    });
    const either = { endpointId: SOURCE, unitId: 'into_either' };
    await start({ ...either, sinkId: LAKE });
    for (const sinkId of [TABLES, null]) {
      const refused = await start({ ...either, sinkId });
      expect(faults(refused)).toEqual(['CONFLICT input.sinkId']);
      expect(refused).toMatchObject({ runId: null, runs: [] });
    }
  });
});

describe('deleteMetadataEndpoint', () => {
  it('is refused while units use the endpoint, unless they go too; then the id may come back', async () => {
    const [source, lake] = [`${PREFIX}-gone`, `${PREFIX}-gone-lake`];
    await register({ id: source, config: POSTGRES });
    await register({ id: lake, templateId: 'parquet_files', config: { directory: '/lake' } });
    await define({ endpointId: source, unitId: 'orders', sinks: [{ endpointId: lake, writeMode: 'APPEND' }] });
    for (const id of [source, lake]) {
      const refused = await remove({ id });
      expect(faults(refused)).toEqual(['CONFLICT input.id']);
      expect(refused.userErrors[0].message).toContain(`${source}/orders`);
    }
    const { deletedUrns } = await remove({ id: lake, cascade: true });
    expect(deletedUrns).toHaveLength(2);
    expect(await graph.catalog.unit(source, 'orders')).toBeUndefined();
    expect(await graph.catalog.status(source, 'orders', lake)).toBeUndefined();
    expect(faults(await remove({ id: lake }))).toEqual(['NOT_FOUND input.id']);

    const back = await register({ id: lake, templateId: 'iceberg', config: { warehouse: '/tables' } });
    expect(back.endpoint).toMatchObject({ id: lake, config: { warehouse: '/tables' } });
  });

  it('is refused while a unit of it runs', async () => {
    const source = `${PREFIX}-busy`;
    await register({ id: source, config: POSTGRES });
    await define({ endpointId: source, unitId: 'busy_orders' });
    await start({ endpointId: source, unitId: 'busy_orders' });
    const refused = await remove({ id: source, cascade: true });
    expect(faults(refused)).toEqual(['CONFLICT input.id']);
    expect(refused.userErrors[0].message).toContain('is running');
    expect(await graph.catalog.endpoint(source)).toBeDefined();
  });
});
