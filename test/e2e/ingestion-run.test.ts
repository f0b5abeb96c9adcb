import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fieldUrn, tagUrn } from '#graph-schema';
import { openDriver } from '#graph-store';
import { CheckpointStore, checkpointKey, createKeyValueStore } from '#kv';
import { TestApp } from '../support/app.js';
import { testEnvironment } from '../support/environment.js';
import { IngestionUser, type RunEvent } from '../support/ingestion-user.js';
import { readSink } from '../support/sink-reader.js';
import { SourceDatabase } from '../support/source-database.js';

const SOURCE = 'run-postgres';
const ICEBERG = 'run-iceberg';
const PARQUET = 'run-parquet';
const SECOND = 'run-second';
/** Whatever else is logged, this text must not be. */
const CANARY = `canary-${randomUUID()}`;
const FULL_UNITS = { airlines: 'carrier', airports: 'faa', planes: 'tailnum' } as const;
const ROWS = { flights: 336_776, weather: 26_115, airlines: 16, airports: 1_458, planes: 3_322 } as const;
const UNITS = Object.keys(ROWS) as (keyof typeof ROWS)[];

let database: SourceDatabase;
let app: TestApp;
let user: IngestionUser;
let graph: Driver;

beforeAll(async () => {
  [database, app] = await Promise.all([SourceDatabase.create(), TestApp.start()]);
  await database.loadFlights();
  user = new IngestionUser(app.apiUrl);
  await user.watch();
  const { NEO4J_URI: uri, NEO4J_USER: name, NEO4J_PASSWORD: password } = testEnvironment();
  graph = openDriver({ uri, user: name, password });
}, 240_000);

afterAll(async () => {
  await user?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await graph?.close();
  await database?.[Symbol.asyncDispose]();
});

describe('a run of every unit of nycflights13', () => {
  it('is set up through the API alone', async () => {
    const { metadataEndpointTemplates } = await user.request<{ metadataEndpointTemplates: { id: string }[] }>(
      '{ metadataEndpointTemplates { id } }',
    );
    expect(metadataEndpointTemplates.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['iceberg', 'jdbc_postgres', 'parquet_files']),
    );
    const source = await user.register(SOURCE, 'jdbc_postgres', database.config);
    expect(source).toMatchObject({ userErrors: [], endpoint: { secretsSet: ['password'] } });
    expect(JSON.stringify(source)).not.toContain(database.config.password);
    const sinks = [
      await user.register(ICEBERG, 'iceberg', { warehouse: join(app.folder, 'iceberg') }),
      await user.register(PARQUET, 'parquet_files', { directory: join(app.folder, 'parquet') }),
    ];
    const units = [
      await user.define(unit('flights', ['time_hour', 'carrier', 'flight'], ICEBERG, 'MERGE')),
      await user.define(unit('weather', ['origin', 'time_hour'], PARQUET, 'APPEND')),
      ...(await Promise.all(
        Object.entries(FULL_UNITS).map(([table, key]) =>
          user.define({ ...unit(table, [key], PARQUET, 'OVERWRITE'), mode: 'FULL', cursorField: null }),
        ),
      )),
    ];
    expect([...sinks, ...units].flatMap((payload) => payload.userErrors)).toEqual([]);
  });

  it('lands every row once, as independent readers count them', { timeout: 240_000 }, async () => {
    const runs = await Promise.all(UNITS.map((name) => user.run(SOURCE, name)));
    expect(runs.map((run) => [run.unitId, run.state, run.stats?.rowsWritten, run.error])).toEqual(
      UNITS.map((name) => [name, 'SUCCEEDED', ROWS[name], null]),
    );
    expect(await flightsInSink()).toMatchObject({ rows: ROWS.flights, keys: ROWS.flights, total: await sourceTotal() });
    expect(await weatherInSink()).toMatchObject({ rows: ROWS.weather, keys: ROWS.weather });
    for (const [table, key] of Object.entries(FULL_UNITS)) {
      const rows = ROWS[table as keyof typeof FULL_UNITS];
      expect(await parquet(table, key)).toMatchObject({ rows, keys: rows });
    }
  });

  it('told its state and progress over graphql-ws', () => {
    const flights = user.events.filter((event) => event.run?.unitId === 'flights');
    expect(flights.map(({ run }) => run?.state)).toEqual(['RUNNING', 'SUCCEEDED']);
    const progress = user.events
      .filter((event) => event.progress?.unitId === 'flights')
      .map(({ progress }) => progress);
    expect(progress.length).toBeGreaterThan(2);
    expect(Math.max(...progress.map((seen) => seen?.rowsRead ?? 0))).toBe(ROWS.flights);
  });

  it('carries run, unit and batch inside the sink commit', async () => {
    const runId = runIdOf('flights');
    const { snapshots = [] } = await flightsInSink();
    const text = JSON.stringify(snapshots.at(-1));
    expect(text).toContain(runId);
    expect(text).toContain('flights');
  });

  it('stores the checkpoint at the highest cursor', async () => {
    const [row] = await database.query(
      'SELECT to_char(max(time_hour) AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') AS mark FROM flights',
    );
    const stored = await checkpointOf('flights', ICEBERG);
    expect(stored).toMatchObject({
      generation: 1,
      lastRunId: runIdOf('flights'),
      cursor: { field: 'time_hour', family: 'timestamptz', value: row?.mark },
    });
    expect(await checkpointOf('airlines', PARQUET)).toMatchObject({ cursor: null, lastRunId: runIdOf('airlines') });
  });

  it('is lineage in the graph: source table, unit, run, versions and sink table', async () => {
    const { records } = await graph.executeQuery(
      `MATCH (source:Dataset)-[:FEEDS]->(unit:IngestionUnit:Job {endpointId: $endpointId, id: 'flights'})-[:PRODUCES]->(target:Dataset)
       MATCH (unit)-[:HAS_RUN]->(run:IngestionRun:Run {id: $runId})-[:WROTE]->(made:DatasetVersion)<-[:HAS_VERSION]-(target)
       MATCH (run)-[:READ]->(:DatasetVersion)<-[:HAS_VERSION]-(source)
       MATCH (run)-[:ADVANCED]->(checkpoint:Checkpoint)
       MATCH (:MetadataEndpointTemplate {id: 'jdbc_postgres'})<-[:OF_TEMPLATE]-(:MetadataEndpoint {id: $endpointId})-[:HAS_UNIT]->(unit)
       MATCH (unit)-[:WRITES_TO]->(:MetadataEndpoint {id: $sinkId})
       MATCH (unit)-[:HAS_STATE]->(state:IngestionUnitState)
       RETURN source.name AS source, target.name AS target, made.datasetVersion AS version, checkpoint.cursorValue AS cursor, state.state AS state`,
      { endpointId: SOURCE, sinkId: ICEBERG, runId: runIdOf('flights') },
    );
    expect(records).toHaveLength(1);
    const found = records[0]?.toObject();
    expect(found).toMatchObject({ source: `${database.config.database}.public.flights`, state: 'SUCCEEDED' });
    expect(found?.target).toMatch(/flights$/);
    expect((await checkpointOf('flights', ICEBERG)).cursor?.value).toBe(found?.cursor);
  });

  it('is listed by statuses and runs', async () => {
    const data = await user.request<{
      ingestionStatuses: { totalCount: number; nodes: { unitId: string; state: string; rowsWritten: number }[] };
      ingestionRuns: { nodes: { id: string; browserUrl: string }[] };
    }>(
      `query($endpointId: ID) {
        ingestionStatuses(endpointId: $endpointId) { totalCount nodes { unitId state rowsWritten } }
        ingestionRuns(endpointId: $endpointId, unitId: "flights") { nodes { id browserUrl } }
      }`,
      { endpointId: SOURCE },
    );
    expect(data.ingestionStatuses.totalCount).toBe(UNITS.length);
    expect(data.ingestionStatuses.nodes).toContainEqual({
      unitId: 'weather',
      state: 'SUCCEEDED',
      rowsWritten: ROWS.weather,
    });
    expect(data.ingestionRuns.nodes.map(({ id }) => id)).toEqual([runIdOf('flights')]);
    expect(data.ingestionRuns.nodes[0]?.browserUrl).toContain(encodeURIComponent(runIdOf('flights')));
  });
});

describe('asking the source', () => {
  it('tells which steps of a connection work, before and after it is registered', async () => {
    const CHECKS = 'test { passed checks { name status code field } error { code } }';
    const ask = (input: object) =>
      user.mutate<{ test: Tested }>('testMetadataEndpoint', 'TestMetadataEndpointInput', input, CHECKS);
    const { test } = await ask({ endpointId: SOURCE });
    expect(test).toMatchObject({ passed: true, error: null });
    expect(test.checks.map(({ status }) => status)).toEqual(test.checks.map(() => 'PASSED'));
    const config = { ...database.config, password: CANARY };
    const draft = await ask({ templateId: 'jdbc_postgres', config });
    expect(draft.test.passed).toBe(false);
    expect(draft.test.checks).toContainEqual(expect.objectContaining({ name: 'authenticate', status: 'FAILED' }));
    expect(draft.test.checks.at(-1)?.status).toBe('SKIPPED');
    const lake = await ask({ endpointId: PARQUET });
    expect(lake.test).toMatchObject({ passed: true, error: null });
  });

  it('shows rows, masked where they are tagged, and leaves none behind', async () => {
    const COLUMNS = 'preview { namespace name columns { name masked } rows truncated } error { code message }';
    const input = { endpointId: SOURCE, unitId: 'planes', limit: 3 };
    const show = () => user.mutate<{ preview: Shown }>('previewMetadata', 'PreviewMetadataInput', input, COLUMNS);
    const { preview: plain } = await show();
    expect(plain.rows).toHaveLength(3);
    const key = plain.columns.findIndex(({ name }) => name === 'tailnum');
    const [tailnum = ''] = plain.rows.map((row) => row[key] ?? '');
    expect(tailnum).toMatch(/^N\w+$/);
    const field = { namespace: plain.namespace, dataset: plain.name, name: 'tailnum' };
    await user.mutate('upsert', 'UpsertInput', tagged(field, 'pii'), 'commit');
    const { preview: masked } = await show();
    expect(masked.columns[key]).toEqual({ name: 'tailnum', masked: true });
    expect(masked.rows.map((row) => row[key])).toEqual(['***', '***', '***']);
    const left = await readdir(join(app.folder, 'metadata'), { recursive: true });
    expect(left.filter((path) => path.includes('preview'))).toEqual([]);
    for (const secret of [tailnum, CANARY, database.config.password]) expect(await app.logs()).not.toContain(secret);
  });

  it('collects its tables and columns, to which the lineage of the runs belongs', async () => {
    const collect = async () => {
      const input = { endpointId: SOURCE, scope: ['public'] };
      const { collectionId } = await user.mutate('collectMetadata', 'CollectMetadataInput', input, 'collectionId');
      const ended = await vi.waitFor(
        async () => {
          const last = await lastCollection();
          if (last === null || last.id !== collectionId || last.state === 'RUNNING')
            throw new Error('the collection goes on');
          return last;
        },
        { timeout: 60_000, interval: 200 },
      );
      expect(ended).toMatchObject({ state: 'SUCCEEDED', problems: [], error: null });
      return ended;
    };
    const { removals } = await collect();
    expect(removals).toEqual([expect.objectContaining({ heldBack: false, datasets: { held: 5, vanished: 0 } })]);
    const versions = async () => {
      const { records } = await graph.executeQuery(
        `MATCH (:MetadataEndpoint {id: $id})-[:COLLECTED]->(d:Dataset)-[:HAS_FIELD]->(f:Field)
         RETURN d.name AS name, d.version AS version, EXISTS { (d)-[:FEEDS]->(:IngestionUnit) } AS feeds,
           sum(f.version) AS fields ORDER BY name`,
        { id: SOURCE },
      );
      return records.map((record) => record.toObject());
    };
    const before = await versions();
    expect(before.map(({ name, feeds }) => [name, feeds])).toEqual(
      UNITS.toSorted().map((table) => [`${database.config.database}.public.${table}`, true]),
    );
    await collect();
    expect(await versions()).toEqual(before);
  });
});

describe('a unit with two sinks', () => {
  it('lands in both from one reading of the source, each with its own checkpoint', { timeout: 120_000 }, async () => {
    const sinkIds = [PARQUET, SECOND];
    await user.register(SECOND, 'parquet_files', { directory: join(app.folder, 'second') });
    const both = sinkIds.map((endpointId) => ({ endpointId, target: 'both', writeMode: 'APPEND' }));
    const defined = { ...unit('weather', ['origin', 'time_hour'], PARQUET, 'APPEND'), unitId: 'both', sinks: both };
    expect((await user.define(defined)).userErrors).toEqual([]);
    const input = { endpointId: SOURCE, unitId: 'both' };
    const started = await user.mutate('startIngestion', 'StartIngestionInput', input, 'runs { runId sinkId }');
    const runs = started.runs as { runId: string; sinkId: string }[];
    expect(runs.map(({ sinkId }) => sinkId)).toEqual(sinkIds);
    const ended = await Promise.all(runs.map(({ runId }) => user.ended(runId)));
    expect(ended.map(({ state, stats }) => [state, stats?.rowsWritten, (stats?.slicesReused ?? 0) > 0])).toEqual([
      ['SUCCEEDED', ROWS.weather, false],
      ['SUCCEEDED', ROWS.weather, true],
    ]);
    for (const folder of ['parquet', 'second']) {
      const facts = await readSink('parquet', join(app.folder, folder, 'both'), { key: 'origin, time_hour', sum: '1' });
      expect(facts).toMatchObject({ rows: ROWS.weather, keys: ROWS.weather });
    }
    const marks = await Promise.all(sinkIds.map(async (sinkId) => (await checkpointOf('both', sinkId)).cursor?.value));
    expect(marks[0]).toBeDefined();
    expect(marks[1]).toBe(marks[0]);
  });
});

interface Tested {
  readonly passed: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

interface Shown {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly masked: boolean }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

interface Collection {
  readonly id: string;
  readonly state: string;
  readonly removals: readonly unknown[];
}

async function lastCollection(): Promise<Collection | null> {
  const { metadataEndpoints } = await user.request<{ metadataEndpoints: { nodes: { lastCollection: Collection }[] } }>(
    `query($ids: [ID!]) { metadataEndpoints(ids: $ids) { nodes { lastCollection {
      id state problems { message } removals { heldBack datasets { held vanished } } error { code message }
    } } } }`,
    { ids: [SOURCE] },
  );
  return metadataEndpoints.nodes[0]?.lastCollection ?? null;
}

/** A column that carries a tag. */
function tagged(key: { namespace: string; dataset: string; name: string }, tag: string) {
  const from = fieldUrn(key.namespace, key.dataset, key.name);
  const entities = [
    { kind: 'Field', key },
    { kind: 'Tag', key: { name: tag } },
  ];
  return { entities, links: [{ kind: 'TAGGED', from, to: tagUrn(tag) }] };
}

describe('the next run', () => {
  it('brings nothing new when nothing is new, and keeps one copy of full units', { timeout: 120_000 }, async () => {
    const before = await checkpointOf('flights', ICEBERG);
    const runs = await Promise.all(UNITS.map((name) => user.run(SOURCE, name)));
    expect(Object.fromEntries(runs.map((run) => [run.unitId, run.stats?.rowsWritten]))).toEqual({
      ...ROWS,
      flights: 0,
      weather: 0,
    });
    expect((await checkpointOf('flights', ICEBERG)).cursor).toEqual(before.cursor);
    expect((await flightsInSink()).rows).toBe(ROWS.flights);
    expect((await weatherInSink()).rows).toBe(ROWS.weather);
    expect((await parquet('planes', 'tailnum')).rows).toBe(ROWS.planes);
  });

  it('brings later rows, and late ones on the very hour of the watermark, each once', {
    timeout: 120_000,
  }, async () => {
    await database.insertFlights({ late: 10, ties: 5 });
    const runs = await Promise.all((['flights', 'weather'] as const).map((name) => user.run(SOURCE, name)));
    expect(runs.map((run) => [run.unitId, run.stats?.rowsWritten])).toEqual([
      ['flights', 15],
      ['weather', 15],
    ]);
    expect(await flightsInSink()).toMatchObject({
      rows: ROWS.flights + 15,
      keys: ROWS.flights + 15,
      total: await sourceTotal(),
    });
    expect(await weatherInSink()).toMatchObject({ rows: ROWS.weather + 15, keys: ROWS.weather + 15 });
  });
});

function unit(table: string, primaryKey: readonly string[], sink: string, writeMode: string) {
  return {
    endpointId: SOURCE,
    unitId: table,
    object: { schema: 'public', table },
    mode: 'INCREMENTAL',
    cursorField: 'time_hour' as string | null,
    primaryKey,
    sinks: [{ endpointId: sink, target: table, writeMode }],
  };
}

/** Id of the first run of a unit, as the subscription told it. */
function runIdOf(unitId: string): string {
  const event = user.events.find((seen: RunEvent) => seen.run?.unitId === unitId);
  if (!event?.run) throw new Error(`no run of ${unitId} was seen`);
  return event.run.id;
}

function flightsInSink() {
  return readSink('iceberg', join(app.folder, 'iceberg', 'nucleus', 'flights'), {
    key: 'time_hour, carrier, flight',
    sum: 'distance',
  });
}

function weatherInSink() {
  return parquet('weather', 'origin, time_hour');
}

function parquet(table: string, key: string) {
  return readSink('parquet', join(app.folder, 'parquet', table), { key, sum: '1' });
}

async function sourceTotal(): Promise<string> {
  const [row] = await database.query('SELECT sum(distance)::text AS total FROM flights');
  return String(row?.total);
}

/** Read beside the running worker: LMDB is made for several processes. */
async function checkpointOf(unitId: string, sinkId: string) {
  await using store = createKeyValueStore({ kind: 'lmdb', path: join(app.folder, 'kv') });
  return new CheckpointStore(store).load(checkpointKey({ vendor: 'postgres', endpointId: SOURCE, unitId, sinkId }));
}
