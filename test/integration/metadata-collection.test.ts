import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { datasetUrn, endpointUrn, fieldUrn } from '#graph-schema';
import { type CollectMetadataInput, type CollectMetadataResult, collectionWorkflowId } from '#ingestion/contracts';
import { registerMetadataEndpoint } from '../../server/commands/register-metadata-endpoint.js';
import { startWorkers, untilCancelled } from '../support/data-worker.js';
import { gate } from '../support/gate.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { type IngestionRoom, openIngestionRoom } from '../support/ingestion-room.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { leaveRunMetadata } from '../support/run-metadata-files.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';
import { historyText } from '../support/workflow-history.js';

const PREFIX = uniquePrefix('collect');
const PASSWORD = `canary-${PREFIX}`;

let graph: TestGraph;
let temporal: TestNamespace;
let room: IngestionRoom;
let workers: Awaited<ReturnType<typeof startWorkers>>;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('collect')]);
  room = await openIngestionRoom(graph, temporal.client);
  workers = await startWorkers(temporal, room.control);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, workers, room, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

/** Each test collects from a source of its own. */
let source = '';
let namespace = '';
let sources = 0;
beforeEach(async () => {
  sources += 1;
  source = `${PREFIX}-${sources}`;
  namespace = `kafka://${source}`;
  const config = { bootstrapServers: ['db:9092'], user: 'reader', password: PASSWORD };
  await registerMetadataEndpoint(room.commands, { id: source, templateId: 'kafka', config });
});

/** A source by its tables with their columns. */
type Tables = Readonly<Record<string, readonly string[]>>;

const many = (count: number): Tables =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`s.t${i}`, ['id']]));

/** Makes the data worker find these tables; `change` may take the complete scope away, or break a file. */
function holding(
  tables: Tables,
  change: (result: CollectMetadataResult) => Partial<CollectMetadataResult> = () => ({}),
) {
  const asked: CollectMetadataInput[] = [];
  workers.operations.collectMetadata = async (input) => {
    asked.push(input);
    const result = await left(input.requestId, tables);
    return { ...result, ...change(result) };
  };
  return asked;
}

async function left(requestId: string, tables: Tables): Promise<CollectMetadataResult> {
  const names = Object.keys(tables);
  const columns = names.flatMap((dataset) => (tables[dataset] ?? []).map((name) => ({ dataset, name })));
  const leave = (path: string, contents: 'entities' | 'links', kind: string, values: Record<string, string[]>) =>
    leaveRunMetadata(room.metadataRoot, `${requestId}/${path}.arrows`, { contents, kind }, values);
  const datasets = await leave('datasets', 'entities', 'Dataset', {
    namespace: names.map(() => namespace),
    name: names,
  });
  const fields = await leave('fields', 'entities', 'Field', {
    namespace: columns.map(() => namespace),
    dataset: columns.map(({ dataset }) => dataset),
    name: columns.map(({ name }) => name),
    type: columns.map(() => 'text'),
  });
  const links = await leave('links', 'links', 'HAS_FIELD', {
    from: columns.map(({ dataset }) => datasetUrn(namespace, dataset)),
    to: columns.map(({ dataset, name }) => fieldUrn(namespace, dataset, name)),
  });
  return {
    files: [datasets, fields, links].filter(({ rows }) => rows > 0),
    completeScopes: [{ namespace, namePrefix: 's.' }],
    counts: { tables: names.length, columns: columns.length },
  };
}

async function start(change: object = {}) {
  const { data, errors } = await app.graphql(
    'mutation($input: CollectMetadataInput!) { collectMetadata(input: $input) { collectionId alreadyRunning userErrors { code field } } }',
    { input: { endpointId: source, ...change } },
  );
  expect(errors).toBeUndefined();
  return data.collectMetadata;
}

/** Collects, waits for the end and answers what the endpoint then shows. */
async function collect(change: object = {}) {
  const { userErrors } = await start(change);
  expect(userErrors).toEqual([]);
  await temporal.client.workflow
    .getHandle(collectionWorkflowId(source))
    .result()
    .catch(() => undefined);
  return (await shown()).lastCollection;
}

async function shown() {
  const VANISHED = '{ held vanished removed }';
  const { data } = await app.graphql(
    `query($ids: [ID!]) { metadataEndpoints(ids: $ids) { nodes {
      lastCollection { id endpointId state phase scope counts files filesApplied rows refused problems { path row message }
        removals { namespace namePrefix datasets ${VANISHED} fields ${VANISHED} heldBack }
        error { code category field message } startedAt endedAt }
      collections { totalCount nodes { id state } }
    } } }`,
    { ids: [source] },
  );
  return data.metadataEndpoints.nodes[0];
}

/** Data sets and columns that live, by their names. */
async function alive(): Promise<string[]> {
  const rows = await graph.query(
    `MATCH (n:Entity) WHERE n.namespace = $namespace AND n.deletedAt IS NULL AND (n:Dataset OR n:Field)
     RETURN CASE WHEN n:Field THEN n.dataset + '#' + n.name ELSE n.name END AS name ORDER BY name`,
    { namespace },
  );
  return rows.map(({ name }) => String(name));
}

describe('collectMetadata', () => {
  it('brings what a source has, and nothing changes while the source does not', async () => {
    const asked = holding({ 's.orders': ['id', 'total'], 's.lines': ['id'] });
    const first = await collect({ scope: ['s'] });
    expect(first).toMatchObject({
      ...{ endpointId: source, state: 'SUCCEEDED', phase: null, scope: ['s'], error: null },
      ...{ counts: { tables: 2, columns: 3 }, files: 3, filesApplied: 3, rows: 8, refused: 0, problems: [] },
    });
    expect(first.removals).toMatchObject([{ namespace, namePrefix: 's.', heldBack: false, datasets: { held: 2 } }]);
    expect(asked).toEqual([{ requestId: first.id, source: expect.anything(), scope: ['s'] }]);
    expect(await alive()).toEqual(['s.lines', 's.lines#id', 's.orders', 's.orders#id', 's.orders#total']);

    const before = await state();
    const second = await collect();
    expect(second).toMatchObject({ state: 'SUCCEEDED', scope: [], rows: 8 });
    expect(await state()).toEqual(before);
    expect((await shown()).collections).toMatchObject({ totalCount: 2, nodes: [{ id: second.id }, { id: first.id }] });
  });

  /** Versions of all that was collected, and of the links to it. */
  async function state() {
    return graph.query(
      `MATCH (n:Entity) WHERE n.namespace = $namespace
       RETURN n.urn AS urn, n.version AS version, COLLECT { MATCH (n)<-[r]-() RETURN type(r) + r.version } AS links ORDER BY urn`,
      { namespace },
    );
  }

  it('removes what has vanished, columns too, and brings it back', async () => {
    holding({ 's.orders': ['id', 'total'], 's.lines': ['id'], 's.old': ['id'] });
    await collect();
    holding({ 's.orders': ['id'], 's.lines': ['id'] });
    const { removals } = await collect();
    expect(removals).toEqual([
      {
        ...{ namespace, namePrefix: 's.', heldBack: false },
        datasets: { held: 3, vanished: 1, removed: 1 },
        fields: { held: 3, vanished: 1, removed: 1 },
      },
    ]);
    expect(await alive()).toEqual(['s.lines', 's.lines#id', 's.orders', 's.orders#id']);
    holding({ 's.orders': ['id', 'total'], 's.old': ['id'], 's.lines': ['id'] });
    await collect();
    expect(await alive()).toHaveLength(7);
  });

  it('removes only what it has brought itself, and only where it has looked to the end', async () => {
    const entities = ['s.foreign', 's.orders'].map((name) => ({
      ...{ kind: 'Dataset' as const, urn: datasetUrn(namespace, name), name, properties: { namespace } },
    }));
    await graph.store.write({ entities }, { actor: 'test' });
    holding({ 's.orders': ['id'], 's.lines': ['id'], 't.other': ['id'] });
    await collect();
    holding({ 's.orders': [] });
    expect((await collect()).removals).toMatchObject([{ datasets: { held: 2, vanished: 1, removed: 1 } }]);
    // The columns of s.orders were not listed this time, so nothing is known of them.
    expect(await alive()).toEqual(['s.foreign', 's.orders', 's.orders#id', 't.other', 't.other#id']);
    holding({}, () => ({ completeScopes: [] }));
    expect(await collect()).toMatchObject({ state: 'SUCCEEDED', removals: [] });
    expect(await alive()).toHaveLength(5);
  });

  it.each([
    ['10 of 11', 11, 1, false],
    ['11 of 20', 20, 9, true],
  ])('decides by how much has vanished: %s', async (_, held, rest, heldBack) => {
    holding(many(held));
    await collect();
    holding(many(rest));
    const vanished = held - rest;
    const { removals } = await collect();
    expect(removals).toMatchObject([{ heldBack, datasets: { held, vanished, removed: heldBack ? 0 : vanished } }]);
    expect(await alive()).toHaveLength(2 * (heldBack ? held : rest));
    if (!heldBack) return;
    const confirmed = await collect({ allowDeletions: true });
    expect(confirmed.removals).toMatchObject([{ heldBack: false, datasets: { removed: vanished } }]);
    expect(await alive()).toHaveLength(2 * rest);
  });

  it('takes no word of the data worker that something is to be deleted', async () => {
    holding({ 's.orders': ['id'], 's.lines': ['id'] });
    await collect();
    holding({ 's.orders': ['id'], 's.lines': ['id'] }, ({ files }) => ({
      files: files.map((file) => (file.kind === 'Dataset' ? { ...file, contents: 'deletions' as const } : file)),
    }));
    const { state, problems, removals } = await collect();
    expect({ state, removals }).toEqual({ state: 'SUCCEEDED', removals: [] });
    expect(problems).toEqual([expect.objectContaining({ message: expect.stringContaining('may not delete') })]);
    expect(await alive()).toHaveLength(4);
  });

  it('takes nothing for deleted when something could not be applied', async () => {
    holding({ 's.orders': ['id'], 's.lines': ['id'] });
    await collect();
    holding({ 's.orders': ['id'] }, ({ files }) => ({
      files: files.map((file) => (file.kind === 'Field' ? { ...file, sha256: 'a'.repeat(64) } : file)),
    }));
    const broken = await collect();
    expect(broken).toMatchObject({ state: 'SUCCEEDED', files: 3, filesApplied: 2, removals: [] });
    expect(broken.problems).toEqual([
      { path: expect.stringContaining('fields'), row: null, message: expect.any(String) },
    ]);
    expect(await alive()).toHaveLength(4);
  });

  it('fails as the source does, takes nothing for deleted, and shows no secret', async () => {
    holding({ 's.orders': ['id'] });
    await collect();
    const error = {
      code: 'SOURCE_AUTH_FAILED',
      category: 'source',
      field: 'source.config.password',
      message: 'refused',
    };
    workers.operations.collectMetadata = async () => {
      throw ApplicationFailure.create({ nonRetryable: true, details: [{ ...error, retryable: false }] });
    };
    expect(await collect()).toMatchObject({ state: 'FAILED', phase: null, error, counts: null, removals: [] });
    expect(await alive()).toHaveLength(2);
    const history = await historyText(temporal.client, collectionWorkflowId(source));
    expect(history).toContain('bootstrapServers');
    const stored = await graph.query('MATCH (n) RETURN properties(n) AS p');
    for (const text of [history, app.log(), JSON.stringify(stored)]) expect(text).not.toContain(PASSWORD);
  });

  it('is one at a time, and tells how far it is', async () => {
    const { passed, open } = gate();
    const begun = gate();
    workers.operations.collectMetadata = async ({ requestId }) => {
      begun.open();
      await passed;
      return left(requestId, { 's.orders': ['id'] });
    };
    const first = await start();
    await begun.passed;
    expect(await start()).toEqual({ collectionId: first.collectionId, alreadyRunning: true, userErrors: [] });
    expect((await shown()).lastCollection).toMatchObject({
      ...{ id: first.collectionId, state: 'RUNNING', phase: 'COLLECTING', endedAt: null },
    });
    open();
    await temporal.client.workflow.getHandle(collectionWorkflowId(source)).result();
    expect((await shown()).lastCollection).toMatchObject({ state: 'SUCCEEDED', filesApplied: 3 });
  });

  it('stops when it is asked to, and takes nothing for deleted', async () => {
    holding({ 's.orders': ['id'] });
    await collect();
    const cancel = async () => {
      const { data } = await app.graphql(
        'mutation($input: CancelMetadataCollectionInput!) { cancelMetadataCollection(input: $input) { collectionId userErrors { code } } }',
        { input: { endpointId: source } },
      );
      return data.cancelMetadataCollection;
    };
    expect(await cancel()).toEqual({ collectionId: null, userErrors: [] });
    const begun = gate();
    workers.operations.collectMetadata = () => {
      begun.open();
      return untilCancelled();
    };
    const { collectionId } = await start();
    await begun.passed;
    expect(await cancel()).toEqual({ collectionId, userErrors: [] });
    await expect(temporal.client.workflow.getHandle(collectionWorkflowId(source)).result()).rejects.toThrow();
    expect((await shown()).lastCollection).toMatchObject({ id: collectionId, state: 'CANCELLED', error: null });
    expect(await alive()).toHaveLength(2);
  });

  it('closes one whose workflow is gone, and does not bring an ended one back', async () => {
    const input = { endpointId: source, scope: [], allowDeletions: false };
    const [lost, next] = [randomUUID(), randomUUID()];
    await room.control.startCollection({ ...input, collectionId: lost });
    await room.control.startCollection({ ...input, collectionId: next });
    expect(await graph.catalog.collection(lost)).toMatchObject({ state: 'FAILED', error: { code: 'RUN_LOST' } });
    expect(await graph.catalog.collection(next)).toMatchObject({ state: 'RUNNING' });
    await expect(room.control.startCollection({ ...input, collectionId: lost })).rejects.toMatchObject({
      type: 'RUN_ENDED',
    });
  });

  it.each<[string, object, string]>([
    ['an endpoint that there is not', { endpointId: 'nobody' }, 'NOT_FOUND input.endpointId'],
    ['a part without a name', { scope: [''] }, 'BAD_USER_INPUT input.scope'],
  ])('refuses %s', async (_, change, fault) => {
    const { collectionId, userErrors } = await start(change);
    expect(collectionId).toBeNull();
    expect(userErrors.map(({ code, field }: Record<string, string>) => `${code} ${field}`)).toEqual([fault]);
  });

  it('refuses an endpoint that has nothing to collect', async () => {
    const id = `${source}-lake`;
    await registerMetadataEndpoint(room.commands, { id, templateId: 'parquet_files', config: { directory: '/lake' } });
    expect(await start({ endpointId: id })).toMatchObject({ userErrors: [{ field: 'input.endpointId' }] });
  });
});

describe('nucleus endpoint collect', () => {
  const nucleus = (...args: string[]) =>
    callNucleusCli(['endpoint', 'collect', source, ...args], { env: { NUCLEUS_URL: app.url } });

  it('follows a collection to its end', async () => {
    holding({ 's.orders': ['id'], 's.lines': ['id'] });
    const first = await nucleus('--scope', 's');
    expect(first).toMatchObject({
      code: 0,
      stdout: [
        'succeeded, 2 tables, 2 columns',
        '6 entities and links, 0 of them refused',
        `${namespace} s.: 0 of 2 data sets and 0 of 2 columns have vanished`,
        '',
      ].join('\n'),
    });
    holding({});
    const second = await nucleus();
    expect(second.stdout).toContain('2 of 2 data sets and 0 of 0 columns have vanished, nothing was removed');
    expect(second.stderr).toContain('--allow-deletions');
    const third = await nucleus('--allow-deletions', '--json');
    expect(JSON.parse(third.stdout)).toMatchObject({ removals: [{ heldBack: false, datasets: { removed: 2 } }] });
    const edges = await graph.query('MATCH ({urn: $urn})-[r:COLLECTED]->() RETURN count(r) AS edges', {
      urn: endpointUrn(source),
    });
    expect(Number(edges[0]?.edges)).toBe(2);
  });

  it('fails as the collection does', async () => {
    const failure = { code: 'SOURCE_UNREACHABLE', category: 'source', field: null, message: 'nobody there' };
    workers.operations.collectMetadata = async () => {
      throw ApplicationFailure.create({ nonRetryable: true, details: [{ ...failure, retryable: false }] });
    };
    const answer = await nucleus();
    expect(answer).toMatchObject({ code: 1, stdout: 'failed\n' });
    expect(answer.stderr).toContain('nobody there [SOURCE_UNREACHABLE]');
  });
});
