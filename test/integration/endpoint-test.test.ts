import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointTestUrn } from '#graph-schema';
import { endpointTestWorkflowId, type TestEndpointInput, type TestEndpointResult } from '#ingestion/contracts';
import { KEPT_TESTS } from '../../ingestion/activities/endpoint-test.js';
import { endpointTestBatch } from '../../ingestion/operation-records.js';
import { startWorkers } from '../support/data-worker.js';
import { scratchFolder } from '../support/folder.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { type IngestionRoom, openIngestionRoom } from '../support/ingestion-room.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';
import { historyText } from '../support/workflow-history.js';

const PREFIX = uniquePrefix('endpoint-test');
const SOURCE = `${PREFIX}-source`;
const PASSWORD = `canary-${PREFIX}`;
const CONFIG = { host: 'db', database: 'shop', user: 'reader', password: PASSWORD };

const CHECKS = [
  check('connect', 'passed', { message: 'db answers', durationMs: 12 }),
  check('authenticate', 'failed', {
    code: 'SOURCE_AUTH_FAILED',
    message: 'the database refuses the password',
    field: 'source.config.password',
  }),
  check('select', 'skipped'),
];

let graph: TestGraph;
let temporal: TestNamespace;
let room: IngestionRoom;
let workers: Awaited<ReturnType<typeof startWorkers>>;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('endpoint-test')]);
  room = await openIngestionRoom(graph, temporal.client);
  workers = await startWorkers(temporal, room.control);
  app = await openHttpApp(graph, { temporal: temporal.client });
  await register(SOURCE);
});
afterAll(async () => {
  for (const part of [app, workers, room, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

function check(name: string, status: 'passed' | 'failed' | 'skipped', found: object = {}) {
  return { name, title: `Step ${name}`, status, code: null, message: null, field: null, durationMs: 0, ...found };
}

/** Makes the data worker answer so, and answers what it was asked. */
function answering(result: TestEndpointResult): TestEndpointInput[] {
  const asked: TestEndpointInput[] = [];
  workers.operations.testMetadataEndpoint = async (input) => {
    asked.push(input);
    return result;
  };
  return asked;
}

async function register(id: string) {
  const { data, errors } = await app.graphql(
    'mutation($input: RegisterMetadataEndpointInput!) { registerMetadataEndpoint(input: $input) { endpoint { version } userErrors { field } } }',
    { input: { id, templateId: 'jdbc_postgres', config: CONFIG } },
  );
  expect(errors ?? data.registerMetadataEndpoint.userErrors).toEqual([]);
}

const SELECTION = `id endpointId endpointVersion passed error { code category field message } startedAt endedAt
  checks { name title status code message field durationMs }`;

function test(input: object, on = app) {
  return on.graphql(
    `mutation($input: TestMetadataEndpointInput!) { testMetadataEndpoint(input: $input) { test { ${SELECTION} } userErrors { code field message } } }`,
    { input },
  );
}

async function shown(first = 3, id = SOURCE) {
  const { data } = await app.graphql(
    `query($ids: [ID!], $first: Int) { metadataEndpoints(ids: $ids) { nodes {
      lastTest { id } tests(first: $first) { totalCount nodes { ${SELECTION} } pageInfo { hasNextPage endCursor } }
    } } }`,
    { ids: [id], first },
  );
  return data.metadataEndpoints.nodes[0];
}

describe('testMetadataEndpoint', () => {
  it('tells each step in order, and keeps the test with the endpoint', async () => {
    expect(await shown()).toMatchObject({ lastTest: null, tests: { totalCount: 0 } });
    const asked = answering({ passed: false, checks: CHECKS });
    const { data } = await test({ endpointId: SOURCE });
    const { userErrors, test: told } = data.testMetadataEndpoint;
    expect(userErrors).toEqual([]);
    expect(told).toMatchObject({ endpointId: SOURCE, endpointVersion: 1, passed: false, error: null });
    expect(told.checks).toEqual(CHECKS.map((step) => ({ ...step, status: step.status.toUpperCase() })));
    expect(asked).toEqual([
      { role: 'source', endpoint: { endpointId: SOURCE, templateId: 'jdbc_postgres', config: expect.anything() } },
    ]);
    expect(await shown()).toMatchObject({ lastTest: { id: told.id }, tests: { nodes: [told] } });
  });

  it('tests a config that is not registered, seals its secrets and keeps nothing of it', async () => {
    const asked = answering({ passed: true, checks: [check('connect', 'passed')] });
    const { data } = await test({ templateId: 'jdbc_postgres', config: CONFIG });
    expect(data.testMetadataEndpoint).toMatchObject({
      test: { endpointId: null, endpointVersion: null, passed: true, checks: [{ name: 'connect', status: 'PASSED' }] },
      userErrors: [],
    });
    const { id } = data.testMetadataEndpoint.test;
    expect(asked[0]?.endpoint).toMatchObject({
      endpointId: `draft-${id}`,
      config: { host: 'db', password: { $sealed: expect.stringMatching(/^v1\./) } },
    });
    expect(await graph.query('MATCH (n {urn: $urn}) RETURN n', { urn: endpointTestUrn(id) })).toEqual([]);
    const history = await historyText(temporal.client, endpointTestWorkflowId(id));
    expect(history).toContain('"host":"db"');
    for (const text of [history, app.log()]) expect(text).not.toContain(PASSWORD);
  });

  it('tells why it could not be carried out, without what it must not show', async () => {
    const failure = {
      ...{ code: 'SECRET_NOT_OPENABLE', category: 'config', field: 'config.password', retryable: false },
      message: 'the worker has another key',
    };
    workers.operations.testMetadataEndpoint = async () => {
      throw ApplicationFailure.create({ type: failure.code, nonRetryable: true, details: [failure] });
    };
    const { retryable: _, ...error } = failure;
    const { data } = await test({ endpointId: SOURCE });
    expect(data.testMetadataEndpoint.test).toMatchObject({ passed: false, checks: [], error });
    workers.operations.testMetadataEndpoint = async () => {
      throw ApplicationFailure.create({ message: `KeyError: ${PASSWORD}`, nonRetryable: true });
    };
    const hidden = await test({ endpointId: SOURCE });
    expect(hidden.data.testMetadataEndpoint.test.error).toMatchObject({ code: 'INTERNAL' });
    expect(JSON.stringify(hidden.data)).not.toContain(PASSWORD);
  });

  it.each<[string, object, string[]]>([
    ['an endpoint that there is not', { endpointId: 'nobody' }, ['NOT_FOUND input.endpointId']],
    ['a template that there is not', { templateId: 'none', config: {} }, ['NOT_FOUND input.templateId']],
    [
      'a config that breaks the rules of its template',
      { templateId: 'jdbc_postgres', config: { ...CONFIG, port: 'x' } },
      ['BAD_USER_INPUT input.config.port'],
    ],
    ['both ways at once', { endpointId: SOURCE, config: CONFIG }, ['BAD_USER_INPUT input.endpointId']],
    ['half a way', { templateId: 'jdbc_postgres' }, ['BAD_USER_INPUT input.templateId']],
  ])('refuses %s', async (_, input, faults) => {
    const { data } = await test(input);
    const { test: told, userErrors } = data.testMetadataEndpoint;
    expect(told).toBeNull();
    expect(userErrors.map(({ code, field }: { code: string; field: string }) => `${code} ${field}`)).toEqual(faults);
  });

  it('says within seconds that no worker is there, and keeps nothing', async () => {
    await using empty = await openOwnNamespace('endpoint-test-idle');
    await using idle = await openHttpApp(graph, { temporal: empty.client });
    const before = await shown();
    const { data, errors } = await test({ endpointId: SOURCE }, idle);
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'WORKER_UNAVAILABLE',
      retryable: true,
      details: { worker: 'control' },
    });
    await using control = await startWorkers(empty, room.control, { data: false });
    expect(control.operations).toEqual({});
    const second = await test({ endpointId: SOURCE }, idle);
    expect(second.errors?.[0]?.extensions).toMatchObject({ code: 'WORKER_UNAVAILABLE', details: { worker: 'data' } });
    expect(await shown()).toEqual(before);
  });
});

describe('the tests of an endpoint', () => {
  it('are listed from the latest on, page by page, and only the latest are kept', async () => {
    const id = `${PREFIX}-history`;
    await register(id);
    const reports = Array.from({ length: KEPT_TESTS + 2 }, (_, minute) => ({
      ...{ testId: randomUUID(), endpointId: id, endpointVersion: 1, result: { passed: true, checks: CHECKS } },
      ...{ startedAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(), failure: null },
    }));
    const [latest, ...earlier] = reports.toReversed();
    if (latest === undefined) throw new RangeError('there are reports');
    const batches = earlier.map((report) =>
      endpointTestBatch({ ...report, endpointId: id, endedAt: report.startedAt }),
    );
    const entities = batches.flatMap((batch) => batch.entities ?? []);
    await graph.store.write({ entities, edges: batches.flatMap((batch) => batch.edges ?? []) }, { actor: 'test' });
    await room.control.storeEndpointTest(latest);
    const stored = reports.toReversed().map(({ testId }) => testId);
    const { tests, lastTest } = await shown(KEPT_TESTS, id);
    expect(tests.totalCount).toBe(KEPT_TESTS);
    expect(tests.nodes.map((kept: { id: string }) => kept.id)).toEqual(stored.slice(0, KEPT_TESTS));
    expect(lastTest.id).toBe(stored[0]);
    const { pageInfo } = (await shown(2, id)).tests;
    expect(pageInfo.hasNextPage).toBe(true);
    const { data } = await app.graphql(
      'query($ids: [ID!], $after: String) { metadataEndpoints(ids: $ids) { nodes { tests(first: 1, after: $after) { nodes { id } } } } }',
      { ids: [id], after: pageInfo.endCursor },
    );
    expect(data.metadataEndpoints.nodes[0].tests.nodes).toEqual([{ id: stored[2] }]);
  });

  it('are stored once, however often that is tried, and not for an endpoint that is gone', async () => {
    const [testId, startedAt] = [randomUUID(), new Date().toISOString()];
    const report = { testId, endpointVersion: 1, startedAt, result: { passed: true, checks: CHECKS }, failure: null };
    const gone = await room.control.storeEndpointTest({ ...report, endpointId: `${PREFIX}-gone` });
    expect(gone).toMatchObject({ testId, endedAt: expect.any(String) });
    expect(await graph.query('MATCH (n {urn: $urn}) RETURN n', { urn: endpointTestUrn(testId) })).toEqual([]);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await room.control.storeEndpointTest({ ...report, endpointId: SOURCE });
    }
    const [row] = await graph.query('MATCH ({urn: $urn})<-[r:HAS_TEST]-(e) RETURN e.id AS id, count(r) AS edges', {
      urn: endpointTestUrn(testId),
    });
    expect(row).toMatchObject({ id: SOURCE });
    expect(Number(row?.edges)).toBe(1);
  });
});

describe('nucleus endpoint test', () => {
  const nucleus = (...args: string[]) => callNucleusCli(['endpoint', ...args], { env: { NUCLEUS_URL: app.url } });

  it('prints the steps, and fails where one failed', async () => {
    answering({ passed: false, checks: CHECKS });
    expect(await nucleus('test', SOURCE)).toEqual({
      code: 1,
      stdout: [
        'passed  Step connect 12 ms',
        '        db answers',
        'failed  Step authenticate 0 ms',
        '        SOURCE_AUTH_FAILED source.config.password: the database refuses the password',
        'skipped Step select',
        '',
      ].join('\n'),
      stderr: '',
    });
  });

  it('tests a config from a file', async () => {
    await using folder = await scratchFolder();
    const file = join(folder.path, 'crm.json');
    await writeFile(file, JSON.stringify(CONFIG));
    answering({ passed: true, checks: [check('connect', 'passed')] });
    const { code, stdout } = await nucleus('test', '--template', 'jdbc_postgres', '--config', file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ passed: true, endpointId: null });
    await writeFile(file, `{"password": ${PASSWORD}`);
    const broken = await nucleus('test', '--template', 'jdbc_postgres', '--config', file);
    expect(broken).toMatchObject({ code: 2, stdout: '' });
    expect(broken.stderr).not.toContain(PASSWORD);
  });

  it.each([
    [['test']],
    [['test', SOURCE, '--template', 'jdbc_postgres', '--config', 'x']],
    [['test', '--template', 'jdbc_postgres']],
    [['test', '--template', 'jdbc_postgres', '--config', '/nowhere.json']],
  ])('takes %j as bad usage', async (args) => {
    expect(await nucleus(...args)).toMatchObject({ code: 2, stdout: '' });
  });

  it('fails as the server refuses', async () => {
    expect(await nucleus('test', 'nobody')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('names no endpoint'),
    });
  });
});
