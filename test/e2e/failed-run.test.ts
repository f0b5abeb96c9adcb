import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDriver } from '#graph-store';
import { ingestionWorkflowId } from '#ingestion/contracts';
import { CheckpointStore, checkpointKey, createKeyValueStore } from '#kv';
import { freePort } from '#stack';
import { TestApp } from '../support/app.js';
import { testEnvironment } from '../support/environment.js';
import { IngestionUser } from '../support/ingestion-user.js';
import { readSink } from '../support/sink-reader.js';
import { SourceDatabase } from '../support/source-database.js';
import { historyText } from '../support/workflow-history.js';

const SOURCE = 'fail-postgres';
const PARQUET = 'fail-parquet';
/** Whatever else is logged or stored, this text must not be. */
const CANARY = `canary-${randomBytes(12).toString('hex')}`;

let database: SourceDatabase;
let app: TestApp;
let user: IngestionUser;
let graph: Driver;

beforeAll(async () => {
  [database, app] = await Promise.all([SourceDatabase.create(), TestApp.start()]);
  await database.query('CREATE TABLE readings (id int PRIMARY KEY, at timestamptz NOT NULL)');
  await database.query(
    "INSERT INTO readings SELECT i, '2020-01-01'::timestamptz + i * interval '1 min' FROM generate_series(1, 1000) i",
  );
  user = new IngestionUser(app.apiUrl);
  await user.watch();
  await user.register(SOURCE, 'jdbc_postgres', database.config);
  await user.register(PARQUET, 'parquet_files', { directory: join(app.folder, 'parquet') });
  await user.define(unit('readings', 'readings'));
  const { NEO4J_URI: uri, NEO4J_USER: name, NEO4J_PASSWORD: password } = testEnvironment();
  graph = openDriver({ uri, user: name, password });
}, 240_000);

afterAll(async () => {
  await user?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await graph?.close();
  await database?.[Symbol.asyncDispose]();
});

describe('a run that cannot succeed says why, keeps the checkpoint, and can start again', () => {
  it('with a wrong password', { timeout: 120_000 }, async () => {
    await user.run(SOURCE, 'readings');
    const before = await checkpoint();
    await update({ password: CANARY });
    const run = await user.run(SOURCE, 'readings');
    expect(run).toMatchObject({ state: 'FAILED', error: { field: 'source.config.password' } });
    expect(await status()).toMatchObject({ state: 'FAILED', error: { field: 'source.config.password' } });
    expect(await checkpoint()).toEqual(before);
    await update({ password: database.config.password });
    expect(await user.run(SOURCE, 'readings')).toMatchObject({ state: 'SUCCEEDED', error: null });
    expect(await status()).toMatchObject({ state: 'SUCCEEDED', error: null });
  });

  it('with a database that does not answer', { timeout: 180_000 }, async () => {
    const before = await checkpoint();
    await update({ port: await freePort() });
    const run = await user.run(SOURCE, 'readings');
    expect(run).toMatchObject({ state: 'FAILED', error: { message: expect.stringMatching(/port|connect|reach/i) } });
    expect(await checkpoint()).toEqual(before);
    await update({ port: database.config.port });
    expect((await user.run(SOURCE, 'readings')).state).toBe('SUCCEEDED');
  });

  it('with a table that is not there, until it is', { timeout: 120_000 }, async () => {
    await user.define(unit('missing', 'no_such_table'));
    const run = await user.run(SOURCE, 'missing');
    expect(run).toMatchObject({ state: 'FAILED', error: { message: expect.stringContaining('no_such_table') } });
    await database.query('CREATE TABLE no_such_table AS SELECT * FROM readings');
    expect(await user.run(SOURCE, 'missing')).toMatchObject({ state: 'SUCCEEDED', stats: { rowsWritten: 1000 } });
  });

  it('and the password is in no log, history, graph property or answer', async () => {
    const histories = await historiesText();
    expect(histories).toContain('"templateId":"jdbc_postgres"');
    const texts = [await app.logs(), histories, await graphText(), JSON.stringify(user.events)];
    for (const text of texts) {
      expect(text.length).toBeGreaterThan(100);
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(database.config.password);
    }
  });
});

describe('one run at a time', () => {
  it('a second start returns the running run, and cancel ends it within seconds', { timeout: 180_000 }, async () => {
    await database.query(
      "CREATE TABLE big AS SELECT i AS id, now() - i * interval '1 s' AS at FROM generate_series(1, 2000000) i",
    );
    await user.define({ ...unit('big', 'big'), policy: { sliceRows: 10_000 } });
    const runId = await user.start(SOURCE, 'big');
    await user.until(() => user.events.find((event) => event.progress?.runId === runId && event.progress.rowsRead > 0));
    const second = await user.mutate(
      'startIngestion',
      'StartIngestionInput',
      { endpointId: SOURCE, unitId: 'big' },
      'runId alreadyRunning',
    );
    expect(second).toMatchObject({ runId, alreadyRunning: true, userErrors: [] });

    const cancelled = await user.mutate(
      'cancelIngestion',
      'CancelIngestionInput',
      { endpointId: SOURCE, unitId: 'big' },
      'runId',
    );
    expect(cancelled).toMatchObject({ runId, userErrors: [] });
    expect(await user.ended(runId)).toMatchObject({ state: 'CANCELLED' });
    expect((await checkpoint('big')).version).toBe(0);
  });

  it('what it had landed is not delivered again by the next run', { timeout: 240_000 }, async () => {
    await user.define({ ...unit('big', 'big'), policy: { sliceRows: 500_000 } });
    expect(await user.run(SOURCE, 'big')).toMatchObject({ state: 'SUCCEEDED' });
    const facts = await readSink('parquet', join(app.folder, 'parquet', 'big'), { key: 'id', sum: 'id' });
    expect(facts).toMatchObject({ rows: 2_000_000, keys: 2_000_000 });
  });
});

function unit(unitId: string, table: string) {
  return {
    endpointId: SOURCE,
    unitId,
    object: { schema: 'public', table },
    mode: 'INCREMENTAL',
    cursorField: 'at',
    primaryKey: ['id'],
    sinks: [{ endpointId: PARQUET, target: unitId, writeMode: 'APPEND' }],
  };
}

async function update(config: object): Promise<void> {
  const payload = await user.mutate(
    'updateMetadataEndpoint',
    'UpdateMetadataEndpointInput',
    { id: SOURCE, config },
    'commit',
  );
  expect(payload.userErrors).toEqual([]);
}

async function status(): Promise<unknown> {
  const { ingestionStatuses } = await user.request<{ ingestionStatuses: { nodes: unknown[] } }>(
    'query($endpointId: ID) { ingestionStatuses(endpointId: $endpointId, unitId: "readings") { nodes { state error { code field message } } } }',
    { endpointId: SOURCE },
  );
  return ingestionStatuses.nodes[0];
}

async function checkpoint(unitId = 'readings') {
  await using store = createKeyValueStore({ kind: 'lmdb', path: join(app.folder, 'kv') });
  const key = checkpointKey({ vendor: 'postgres', endpointId: SOURCE, unitId, sinkId: PARQUET });
  return new CheckpointStore(store).load(key);
}

/** Every workflow history of the unit, payloads decoded to text. */
async function historiesText(): Promise<string> {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = testEnvironment();
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const texts: string[] = [];
  for await (const { workflowId, runId } of client.workflow.list({
    query: `WorkflowId = "${ingestionWorkflowId(SOURCE, 'readings')}"`,
  })) {
    texts.push(await historyText(client, workflowId, runId));
  }
  await connection.close();
  return texts.join('\n');
}

async function graphText(): Promise<string> {
  const { records } = await graph.executeQuery('MATCH (n) RETURN properties(n) AS p');
  return JSON.stringify(records.map((record) => record.get('p')));
}
