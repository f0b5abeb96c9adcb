import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../support/app.js';
import { IngestionUser } from '../support/ingestion-user.js';
import { readSink } from '../support/sink-reader.js';
import { SourceDatabase } from '../support/source-database.js';

const SOURCE = 'crash-postgres';
const ICEBERG = 'crash-iceberg';
const PARQUET = 'crash-parquet';
const FLIGHTS = 336_776;

let database: SourceDatabase;
let app: TestApp;
let user: IngestionUser;

beforeAll(async () => {
  [database, app] = await Promise.all([SourceDatabase.create(), TestApp.start()]);
  await database.loadFlights();
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
  it('loses nothing and doubles nothing, neither in files nor in Iceberg', { timeout: 300_000 }, async () => {
    expect((await user.define(flights('files', PARQUET, 'APPEND', 20_000))).userErrors).toEqual([]);
    expect((await user.define(flights('table', ICEBERG, 'MERGE', 60_000))).userErrors).toEqual([]);
    const runs = await Promise.all([user.start(SOURCE, 'files'), user.start(SOURCE, 'table')]);

    // Some slices of each have landed and more are to come.
    await Promise.all(runs.map((runId) => user.until(() => partlyWritten(runId))));
    await app.kill('data-worker');
    const statesAtDeath = runs.map((runId) => user.events.findLast((event) => event.run?.id === runId)?.run?.state);
    expect(statesAtDeath).toEqual(['RUNNING', 'RUNNING']);
    await app.startProcess('data-worker');

    const ended = await Promise.all(runs.map((runId) => user.ended(runId)));
    expect(ended.map((run) => [run.state, run.error])).toEqual([
      ['SUCCEEDED', null],
      ['SUCCEEDED', null],
    ]);
    const exactly = { rows: FLIGHTS, keys: FLIGHTS, total: await sourceTotal() };
    expect(await filesOf('files')).toMatchObject(exactly);
    expect(await tableOf('table')).toMatchObject(exactly);
  });

  it('leaves the unit able to go on: the next run finds nothing to do', { timeout: 120_000 }, async () => {
    const run = await user.run(SOURCE, 'files');
    expect(run).toMatchObject({ state: 'SUCCEEDED', stats: { rowsWritten: 0 } });
    expect(await filesOf('files')).toMatchObject({ rows: FLIGHTS });
  });
});

describe('kill -9 of the server and the control worker in mid-run', () => {
  it('the run goes on in the data worker and is recorded once both are back', { timeout: 300_000 }, async () => {
    await user.define(flights('survivor', PARQUET, 'APPEND', 20_000));
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

const COLUMNS = { key: 'time_hour, carrier, flight', sum: 'distance' };
const filesOf = (target: string) => readSink('parquet', join(app.folder, 'parquet', target), COLUMNS);
const tableOf = (target: string) => readSink('iceberg', join(app.folder, 'iceberg', 'nucleus', target), COLUMNS);

async function sourceTotal(): Promise<string> {
  const [row] = await database.query('SELECT sum(distance)::text AS total FROM flights');
  return String(row?.total);
}
