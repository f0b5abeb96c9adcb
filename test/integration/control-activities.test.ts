import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointUrn, datasetUrn, datasetVersionUrn, runUrn, templateUrn, unitUrn } from '#graph-schema';
import type { CompleteIngestionRunInput, IngestionRunInput, PreparedRun } from '#ingestion/contracts';
import { runIngestionUnitInputSchema } from '#ingestion/contracts';
import { openOwnGraph, type TestGraph } from '../support/graph.js';
import {
  cursorAt,
  type IngestionRoom,
  keyOf,
  openIngestionRoom,
  resultOf,
  SOURCE_PASSWORD,
  UNIT_ID,
} from '../support/ingestion-room.js';
import { pythonTemplates } from '../support/templates.js';

// A graph of its own: a server of another file would take runs without a workflow for lost ones.
let graph: TestGraph;
let room: IngestionRoom;
beforeAll(async () => {
  graph = await openOwnGraph();
  room = await openIngestionRoom(graph);
});
afterAll(async () => {
  await room[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const JANUARY = '2026-01-01T00:00:00.000000Z';
const FEBRUARY = '2026-02-01T00:00:00.000000Z';

const completion = (
  input: IngestionRunInput,
  { vendor, payload }: PreparedRun,
  result: CompleteIngestionRunInput['result'],
): CompleteIngestionRunInput => ({ ...input, vendor, checkpoint: payload.checkpoint, result });

/** One run from its start to its success. */
async function completeRun(input: IngestionRunInput, cursor: string | null): Promise<CompleteIngestionRunInput> {
  const prepared = await room.control.startIngestionRun(input);
  const completed = completion(input, prepared, resultOf({ cursor }));
  await room.control.completeIngestionRun(completed);
  return completed;
}

const statusOf = ({ endpointId, unitId, sinkId }: IngestionRunInput) =>
  graph.catalog.status(endpointId, unitId, sinkId);

async function edgesOf(urn: string): Promise<string[]> {
  const rows = await graph.query(
    `MATCH (a:Entity)-[r]->(b:Entity) WHERE $urn IN [a.urn, b.urn] AND r.deletedAt IS NULL
     RETURN type(r) AS kind, a.urn AS source, b.urn AS target`,
    { urn },
  );
  return rows.map(({ kind, source, target }) => `${source} ${kind} ${target}`).sort();
}

describe('startIngestionRun', () => {
  it('hands Python all that it needs, and no secret in clear', async () => {
    const runOf = await room.defineUnit('start-payload');
    const input = runOf();
    const { vendor, payload } = await room.control.startIngestionRun(input);
    expect(vendor).toBe('postgres');
    expect(runIngestionUnitInputSchema.parse(payload)).toEqual(payload);
    expect(payload).toMatchObject({
      endpointId: 'start-payload',
      unitId: UNIT_ID,
      sinkId: 'start-payload-lake',
      checkpoint: { version: 0, generation: 1, cursor: null },
      stagingProviderId: 'local_directory',
      execution: {
        runId: input.runId,
        fence: 1,
        source: { templateId: 'jdbc_postgres', config: { host: 'db', password: { $sealed: expect.any(String) } } },
        sink: { templateId: 'parquet_files', config: { directory: '/lake' } },
        unit: { object: { table: UNIT_ID }, mode: 'incremental', cursorField: 'updated_at', target: UNIT_ID },
      },
    });
    expect(JSON.stringify(payload)).not.toContain(SOURCE_PASSWORD);
  });

  it('is one run with one fence however often it is attempted; the next run takes the next fence', async () => {
    const runOf = await room.defineUnit('start-twice');
    const input = runOf();
    const first = await room.control.startIngestionRun(input);
    const head = await graph.log.head();
    expect(await room.control.startIngestionRun(input)).toEqual(first);
    expect(await graph.log.head()).toBe(head);
    expect(await graph.catalog.runs({ endpointId: 'start-twice' }).count()).toBe(1);
    expect(await statusOf(input)).toMatchObject({ state: 'RUNNING', lastRunId: input.runId, runCount: 1 });
    expect((await room.control.startIngestionRun(runOf())).payload.execution.fence).toBe(2);
  });

  it('ends a run of a unit that was deleted, for good', async () => {
    const runOf = await room.defineUnit('start-deleted');
    await graph.store.write({ deletions: [{ urn: unitUrn('start-deleted', UNIT_ID) }] }, { actor: 'test' });
    await expect(room.control.startIngestionRun(runOf())).rejects.toMatchObject({
      type: 'UNIT_NOT_FOUND',
      nonRetryable: true,
      details: [{ code: 'UNIT_NOT_FOUND', category: 'config', retryable: false }],
    });
    expect(await graph.catalog.runs({ endpointId: 'start-deleted' }).count()).toBe(0);
  });
});

describe('completeIngestionRun', () => {
  it('moves the checkpoint and the status once, however often it is attempted', async () => {
    const runOf = await room.defineUnit('complete-twice');
    const input = runOf();
    const completed = await completeRun(input, JANUARY);
    const head = await graph.log.head();
    await room.control.completeIngestionRun(completed);
    expect(await graph.log.head()).toBe(head);
    expect(await room.checkpoints.load(keyOf(input))).toMatchObject({
      version: 1,
      cursor: cursorAt(JANUARY),
      lastRunId: input.runId,
    });
    expect(await statusOf(input)).toMatchObject({
      state: 'SUCCEEDED',
      rowsRead: 3,
      rowsWritten: 3,
      checkpointVersion: 1,
      cursor: { field: 'updated_at', value: JANUARY },
      error: null,
    });
    expect(await graph.catalog.run(input.runId)).toMatchObject({ state: 'SUCCEEDED', stats: { rowsRead: 3 } });
  });

  it('finishes what a worker began that died between checkpoint and graph', async () => {
    const runOf = await room.defineUnit('complete-crash');
    const input = runOf();
    const prepared = await room.control.startIngestionRun(input);
    const result = resultOf({ cursor: JANUARY });
    await room.checkpoints.commit(keyOf(input), {
      runId: input.runId,
      expectedVersion: 0,
      cursor: cursorAt(JANUARY),
      stats: result.stats,
    });
    expect(await statusOf(input)).toMatchObject({ state: 'RUNNING', checkpointVersion: 0 });
    await room.control.completeIngestionRun(completion(input, prepared, result));
    expect(await statusOf(input)).toMatchObject({ state: 'SUCCEEDED', checkpointVersion: 1 });
    expect((await room.checkpoints.load(keyOf(input))).version).toBe(1);
  });

  it('refuses a run whose checkpoint was moved by another, and one that goes back', async () => {
    const runOf = await room.defineUnit('complete-conflict');
    const [zombie, winner] = [runOf(), runOf()];
    const prepared = await room.control.startIngestionRun(zombie);
    await completeRun(winner, FEBRUARY);
    const stale = completion(zombie, prepared, resultOf({ cursor: JANUARY }));
    await expect(room.control.completeIngestionRun(stale)).rejects.toMatchObject({
      type: 'CHECKPOINT_CONFLICT',
      nonRetryable: true,
      details: [{ code: 'CHECKPOINT_CONFLICT', message: expect.stringContaining('from version 0 to 1') }],
    });
    const back = runOf();
    const preparedBack = await room.control.startIngestionRun(back);
    await expect(
      room.control.completeIngestionRun(completion(back, preparedBack, resultOf({ cursor: JANUARY }))),
    ).rejects.toMatchObject({ type: 'CHECKPOINT_NOT_MONOTONE', nonRetryable: true });
    expect(await room.checkpoints.load(keyOf(winner))).toMatchObject({ version: 1, lastRunId: winner.runId });
  });

  it('keeps the cursor when a run read no row (R6)', async () => {
    const runOf = await room.defineUnit('complete-empty');
    await completeRun(runOf(), JANUARY);
    const empty = runOf();
    await completeRun(empty, null);
    expect(await room.checkpoints.load(keyOf(empty))).toMatchObject({ version: 2, cursor: cursorAt(JANUARY) });
    expect(await statusOf(empty)).toMatchObject({ checkpointVersion: 2, cursor: { value: JANUARY } });
    expect((await edgesOf(runUrn(empty.runId))).filter((edge) => edge.includes('ADVANCED'))).toEqual([]);
    const [checkpoints] = await graph.query(
      "MATCH (c:Checkpoint {endpointId: 'complete-empty'}) RETURN count(c) AS total",
    );
    expect(checkpoints).toEqual({ total: 1 });
  });

  it('chains the checkpoints, each to the run that made it', async () => {
    const runOf = await room.defineUnit('complete-chain');
    const runs = [runOf(), runOf(), runOf(), runOf()];
    const cursors = [JANUARY, FEBRUARY, null, '2026-03-01T00:00:00.000000Z'];
    for (const [index, run] of runs.entries()) {
      const completed = await completeRun(run, cursors[index] ?? null);
      // A repeated attempt must not make a checkpoint follow itself.
      await room.control.completeIngestionRun(completed);
    }
    const rows = await graph.query(
      `MATCH (run)-[:ADVANCED]->(c:Checkpoint {endpointId: 'complete-chain'})
       OPTIONAL MATCH (c)-[:FOLLOWS]->(before:Checkpoint)
       RETURN run.id AS run, c.urn AS urn, c.cursorValue AS cursor, before.urn AS before ORDER BY c.checkpointVersion`,
    );
    const urn = (version: number) => checkpointUrn({ ...runOf(), generation: 1, version });
    expect(rows).toEqual([
      { run: runs[0]?.runId, urn: urn(1), cursor: JANUARY, before: null },
      { run: runs[1]?.runId, urn: urn(2), cursor: FEBRUARY, before: urn(1) },
      { run: runs[3]?.runId, urn: urn(4), cursor: cursors[3], before: urn(2) },
    ]);
  });

  it('writes the lineage of a run once', async () => {
    const runOf = await room.defineUnit('complete-lineage');
    const input = runOf();
    const fields = [{ name: 'id', type: 'bigint' }];
    const read = { namespace: 'postgres://db:5432', name: 'shop.public.orders', version: null, fields };
    const lake = { namespace: 'file', name: '/lake/orders', version: 'v7', fields };
    const result = resultOf({ cursor: JANUARY, inputs: [read, lake], outputs: [lake] });
    const prepared = await room.control.startIngestionRun(input);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await room.control.completeIngestionRun(completion(input, prepared, result));
    }
    const job = unitUrn(input.endpointId, UNIT_ID);
    const source = datasetUrn(read.namespace, read.name);
    const target = datasetUrn(lake.namespace, lake.name);
    const version = datasetVersionUrn(lake.namespace, lake.name, 'v7');
    expect((await edgesOf(job)).filter((edge) => edge.includes('dataset'))).toEqual(
      [`${source} FEEDS ${job}`, `${target} FEEDS ${job}`, `${job} PRODUCES ${target}`].sort(),
    );
    expect(await edgesOf(version)).toEqual(
      [
        `${target} HAS_VERSION ${version}`,
        `${runUrn(input.runId)} READ ${version}`,
        `${runUrn(input.runId)} WROTE ${version}`,
      ].sort(),
    );
    const [stored] = await graph.query('MATCH (v:DatasetVersion {urn: $version}) RETURN v.schema AS schema', {
      version,
    });
    expect(JSON.parse(String(stored?.schema))).toEqual(fields);
  });

  it('does not bring back the status of a sink that the unit has lost meanwhile', async () => {
    const sinkIds = ['complete-dropped-lake', 'complete-dropped-other'];
    const runOf = await room.defineUnit('complete-dropped', { sinkIds });
    const input = runOf();
    const prepared = await room.control.startIngestionRun(input);
    await room.defineUnit('complete-dropped', { sinkIds: sinkIds.slice(1) });
    await room.control.completeIngestionRun(completion(input, prepared, resultOf({ cursor: JANUARY })));
    expect(await statusOf(input)).toBeUndefined();
    expect(await graph.catalog.run(input.runId)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await room.checkpoints.load(keyOf(input))).toMatchObject({ version: 1, cursor: cursorAt(JANUARY) });
  });

  it('refuses a result that breaks the contract, for good', async () => {
    const runOf = await room.defineUnit('complete-broken');
    const input = runOf();
    const prepared = await room.control.startIngestionRun(input);
    const result = resultOf({ cursor: JANUARY, rows: -1 });
    await expect(room.control.completeIngestionRun(completion(input, prepared, result))).rejects.toMatchObject({
      type: 'CONTRACT_BROKEN',
      nonRetryable: true,
      details: [{ field: 'stats.rowsRead' }],
    });
    expect((await room.checkpoints.load(keyOf(input))).version).toBe(0);
  });
});

describe('failIngestionRun', () => {
  const failure = {
    code: 'SOURCE_AUTH_FAILED',
    category: 'source' as const,
    field: 'source.config.password',
    message: 'the database refuses the password',
    retryable: false,
  };

  it('says why, leaves the checkpoint alone, and is forgotten when the next run begins', async () => {
    const runOf = await room.defineUnit('fail');
    await completeRun(runOf(), JANUARY);
    const before = await room.checkpoints.load(keyOf(runOf()));
    const failed = runOf();
    await room.control.startIngestionRun(failed);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await room.control.failIngestionRun({ ...failed, state: 'FAILED', failure });
    }
    const { retryable: _, ...error } = failure;
    expect(await statusOf(failed)).toMatchObject({ state: 'FAILED', error, cursor: { value: JANUARY } });
    expect(await graph.catalog.run(failed.runId)).toMatchObject({ state: 'FAILED', error, endedAt: expect.any(Date) });
    expect(await room.checkpoints.load(keyOf(failed))).toEqual(before);

    const next = runOf();
    await room.control.startIngestionRun(next);
    expect(await statusOf(next)).toMatchObject({ state: 'RUNNING', error: null, endedAt: null, rowsRead: null });
    expect(await graph.catalog.run(failed.runId)).toMatchObject({ state: 'FAILED', error });
  });

  it('keeps a deleted unit deleted', async () => {
    const runOf = await room.defineUnit('fail-deleted');
    const input = runOf();
    await room.control.startIngestionRun(input);
    const status = await statusOf(input);
    await graph.store.write(
      { deletions: [{ urn: unitUrn(input.endpointId, UNIT_ID) }, { urn: status?.urn ?? '' }] },
      { actor: 'test' },
    );
    await room.control.failIngestionRun({ ...input, state: 'CANCELLED', failure: null });
    expect(await statusOf(input)).toBeUndefined();
    expect(await graph.catalog.unit(input.endpointId, UNIT_ID)).toBeUndefined();
    expect(await graph.catalog.run(input.runId)).toMatchObject({ state: 'CANCELLED', error: null });
  });
});

describe('storeMetadataEndpointTemplates', () => {
  it('makes the graph hold exactly what the workers offer, and nothing happens when they offer it again', async () => {
    const offered = await pythonTemplates();
    const [model] = offered.templates;
    if (model === undefined) throw new Error('Python offers no template');
    const extra = { ...model, id: 'soon-to-vanish', title: 'Soon to vanish' };
    const ids = async () => (await graph.catalog.templates()).map((template) => template.id);
    const pythonIds = offered.templates.map((template) => template.id).sort();

    await room.control.storeMetadataEndpointTemplates({ ...offered, templates: [...offered.templates, extra] });
    expect(await ids()).toEqual([...pythonIds, extra.id].sort());
    await room.control.storeMetadataEndpointTemplates(offered);
    expect(await ids()).toEqual(pythonIds);
    const [vanished] = await graph.query('MATCH (n:Entity {urn: $urn}) RETURN n.deletedAt IS NOT NULL AS deleted', {
      urn: templateUrn(extra.id),
    });
    expect(vanished).toEqual({ deleted: true });

    const head = await graph.log.head();
    await room.control.storeMetadataEndpointTemplates(offered);
    expect(await graph.log.head()).toBe(head);
    expect(await graph.catalog.template(model.id)).toMatchObject({
      title: model.title,
      vendor: model.vendor,
      descriptorVersion: model.version,
      configSchema: model.configSchema,
      objectSchema: model.objectSchema,
    });
  });
});
