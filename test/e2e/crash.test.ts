import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestionWorkflowId } from '#ingestion/contracts';
import { TestApp } from '../support/app.js';
import { testEnvironment } from '../support/environment.js';
import { IngestionUser } from '../support/ingestion-user.js';
import { readSink } from '../support/sink-reader.js';
import { SourceDatabase } from '../support/source-database.js';

const SOURCE = 'crash-postgres';
const ICEBERG = 'crash-iceberg';
const PARQUET = 'crash-parquet';
/** A part of all that there are: enough for many slices. */
const FLIGHTS = 120_000;

let database: SourceDatabase;
let app: TestApp;
let user: IngestionUser;

beforeAll(async () => {
  [database, app] = await Promise.all([SourceDatabase.create(), TestApp.start()]);
  await database.loadFlights();
  await database.query(
    `DELETE FROM flights WHERE ctid NOT IN (SELECT ctid FROM flights ORDER BY time_hour, carrier, flight LIMIT ${FLIGHTS})`,
  );
  user = new IngestionUser(app.apiUrl);
  await user.watch();
  await user.register(SOURCE, 'jdbc_postgres', database.config);
  await user.register(ICEBERG, 'iceberg', { warehouse: join(app.folder, 'iceberg') });
  await user.register(PARQUET, 'parquet_files', { directory: join(app.folder, 'parquet') });
}, 240_000);

afterAll(async () => {
  await user?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

describe('kill -9 of the data worker in mid-run', () => {
  // Many slices, so that the worker dies between two of them or within one, never after the last.
  it.each([
    { kind: 'files', sink: PARQUET, writeMode: 'APPEND', sliceRows: 1_500, read: filesOf },
    { kind: 'table', sink: ICEBERG, writeMode: 'MERGE', sliceRows: 15_000, read: tableOf },
  ] as const)('loses nothing and doubles nothing in $kind', { timeout: 300_000 }, async (sink) => {
    const { userErrors } = await user.define(flights(sink.kind, sink.sink, sink.writeMode, sink.sliceRows));
    expect(userErrors).toEqual([]);
    const runId = await user.start(SOURCE, sink.kind);
    await user.until(() => partlyWritten(runId));
    await app.kill('data-worker');
    await app.startProcess('data-worker');

    const ended = await user.ended(runId);
    expect(ended).toMatchObject({ state: 'SUCCEEDED', error: null });
    // The second attempt went on where the first had come to, and the statistics are those of the whole run.
    expect(ended.stats?.rowsWritten).toBe(FLIGHTS);
    expect(await attemptsOf(sink.kind)).toBeGreaterThan(1);
    expect(await sink.read(sink.kind)).toMatchObject({ rows: FLIGHTS, keys: FLIGHTS, total: await sourceTotal() });
  });

  it('leaves the unit able to go on: the next run finds nothing to do', { timeout: 120_000 }, async () => {
    const run = await user.run(SOURCE, 'files');
    expect(run).toMatchObject({ state: 'SUCCEEDED', stats: { rowsWritten: 0 } });
    expect(await filesOf('files')).toMatchObject({ rows: FLIGHTS });
  });
});

describe('kill -9 of the server and the control worker in mid-run', () => {
  it('the run goes on in the data worker and is recorded once both are back', { timeout: 300_000 }, async () => {
    await user.define(flights('survivor', PARQUET, 'APPEND', 1_500));
    const runId = await user.start(SOURCE, 'survivor');
    await user.until(() => partlyWritten(runId));
    await Promise.all([app.kill('api'), app.kill('control-worker')]);
    await Promise.all([app.startProcess('api'), app.startProcess('control-worker')]);

    // A subscriber that names where it stood misses nothing of what happened while the server was away.
    const resumed = new IngestionUser(app.apiUrl);
    await resumed.watch(user.events.findLast((event) => event.run?.id === runId)?.cursor);
    expect(await resumed.ended(runId)).toMatchObject({ state: 'SUCCEEDED', error: null });
    await resumed[Symbol.asyncDispose]();
    expect(await filesOf('survivor')).toMatchObject({ rows: FLIGHTS, keys: FLIGHTS, total: await sourceTotal() });
  });
});

function flights(target: string, sink: string, writeMode: string, sliceRows: number) {
  return {
    endpointId: SOURCE,
    unitId: target,
    object: { schema: 'public', table: 'flights' },
    mode: 'INCREMENTAL',
    cursorField: 'time_hour',
    primaryKey: ['time_hour', 'carrier', 'flight'],
    sinks: [{ endpointId: sink, target, writeMode }],
    policy: { sliceRows },
  };
}

function partlyWritten(runId: string): true | undefined {
  const written = user.events
    .filter((event) => event.progress?.runId === runId)
    .map((event) => event.progress?.rowsWritten ?? 0);
  return written.some((rows) => rows > 0 && rows < FLIGHTS) || undefined;
}

/** Attempts that the unit's latest run took to move its rows, as Temporal counted them. */
async function attemptsOf(unitId: string): Promise<number> {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = testEnvironment();
  const connection = await Connection.connect({ address });
  const handle = new Client({ connection, namespace }).workflow.getHandle(ingestionWorkflowId(SOURCE, unitId));
  const { events } = await handle.fetchHistory();
  await connection.close();
  return Math.max(...(events ?? []).map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0));
}

const COLUMNS = { key: 'time_hour, carrier, flight', sum: 'distance' };
function filesOf(target: string) {
  return readSink('parquet', join(app.folder, 'parquet', target), COLUMNS);
}

function tableOf(target: string) {
  return readSink('iceberg', join(app.folder, 'iceberg', 'nucleus', target), COLUMNS);
}

async function sourceTotal(): Promise<string> {
  const [row] = await database.query('SELECT sum(distance)::text AS total FROM flights');
  return String(row?.total);
}
