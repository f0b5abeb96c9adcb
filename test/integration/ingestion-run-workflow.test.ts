import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { datasetUrn } from '#graph-schema';
import { IngestionClient, reconcileRuns } from '#ingestion';
import {
  type ControlActivities,
  type IngestionRunInput,
  ingestionWorkflowId,
  type RunMetadataFile,
  TEMPLATE_SYNC_WORKFLOW_ID,
} from '#ingestion/contracts';
import { type DataScript, startWorkers, untilCancelled } from '../support/data-worker.js';
import { gate } from '../support/gate.js';
import { openOwnGraph, type TestGraph } from '../support/graph.js';
import {
  cursorAt,
  type IngestionRoom,
  keyOf,
  openIngestionRoom,
  type RunOf,
  resultOf,
} from '../support/ingestion-room.js';
import { type Columns, leaveRunMetadata } from '../support/run-metadata-files.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

const JANUARY = '2026-01-01T00:00:00.000000Z';
const HISTORY_WITHIN_MS = 20_000;

let graph: TestGraph;
let temporal: TestNamespace;
let room: IngestionRoom;
let workers: Awaited<ReturnType<typeof startWorkers>>;
let client: IngestionClient;
/** Runs before an activity of the TypeScript worker; a test may hold it there. */
const before: { [Name in keyof ControlActivities]?: () => Promise<void> } = {};

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openOwnGraph(), openOwnNamespace('workflow')]);
  room = await openIngestionRoom(graph, temporal.client);
  const { control } = room;
  workers = await startWorkers(temporal, {
    ...control,
    completeIngestionRun: async (input) => {
      await before.completeIngestionRun?.();
      await control.completeIngestionRun(input);
    },
  });
  client = new IngestionClient(temporal.client);
});
afterAll(async () => {
  for (const part of [workers, room, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

/** Defines a unit whose data worker follows the script. */
function unitWith(endpointId: string, script: DataScript): Promise<RunOf> {
  workers.scripts.set(endpointId, script);
  return room.defineUnit(endpointId);
}

const workflowOf = ({ endpointId, unitId }: IngestionRunInput) =>
  temporal.client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId));

/** Starts a run and waits for the end of its workflow, however it ends. */
async function runToEnd(input: IngestionRunInput): Promise<void> {
  await client.start(input);
  await workflowOf(input)
    .result()
    .catch(() => undefined);
}

const statusOf = ({ endpointId, unitId, sinkId }: IngestionRunInput) =>
  graph.catalog.status(endpointId, unitId, sinkId);
const runRecord = (input: IngestionRunInput) => graph.catalog.run(input.runId);

describe('a run', () => {
  it('goes from the checkpoint over the data worker to the next checkpoint', async () => {
    const checkpoints: unknown[] = [];
    const runOf = await unitWith('success', async ({ checkpoint }) => {
      checkpoints.push(checkpoint);
      return resultOf({ cursor: JANUARY });
    });
    const [first, second] = [runOf(), runOf()];
    await runToEnd(first);
    expect(await runRecord(first)).toMatchObject({ state: 'SUCCEEDED', stats: { rowsRead: 3 } });
    await runToEnd(second);
    expect(checkpoints).toEqual([
      { version: 0, generation: 1, cursor: null },
      { version: 1, generation: 1, cursor: cursorAt(JANUARY) },
    ]);
    expect(await statusOf(second)).toMatchObject({ state: 'SUCCEEDED', lastRunId: second.runId, checkpointVersion: 2 });
  });

  it('is tried again after a failure that may pass', async () => {
    let attempts = 0;
    const runOf = await unitWith('transient', async () => {
      attempts += 1;
      if (attempts === 1) throw ApplicationFailure.create({ type: 'SOURCE_UNREACHABLE', nonRetryable: false });
      return resultOf({ cursor: JANUARY });
    });
    const input = runOf();
    await runToEnd(input);
    expect(attempts).toBe(2);
    expect(await runRecord(input)).toMatchObject({ state: 'SUCCEEDED', error: null });
  });

  it('fails with the error of the data worker, and the unit can start again', async () => {
    const detail = {
      code: 'SOURCE_AUTH_FAILED',
      category: 'source',
      field: 'source.config.password',
      message: 'the database refuses the password',
      retryable: false,
    };
    const runOf = await unitWith('failure', async () => {
      throw ApplicationFailure.create({ type: detail.code, nonRetryable: true, details: [detail] });
    });
    const failed = runOf();
    await runToEnd(failed);
    const { retryable: _, ...error } = detail;
    expect(await runRecord(failed)).toMatchObject({ state: 'FAILED', error });
    expect(await statusOf(failed)).toMatchObject({ state: 'FAILED', error });
    expect((await room.checkpoints.load(keyOf(failed))).version).toBe(0);

    workers.scripts.set('failure', async () => resultOf({ cursor: JANUARY }));
    const next = runOf();
    await runToEnd(next);
    expect(await statusOf(next)).toMatchObject({ state: 'SUCCEEDED', error: null, runCount: 2 });
  });

  it('shows nothing of a failure that carries no error of ours', async () => {
    const runOf = await unitWith('unexpected', async () => {
      throw ApplicationFailure.create({ message: 'KeyError: hunter2', type: 'KeyError', nonRetryable: true });
    });
    const input = runOf();
    await runToEnd(input);
    const record = await runRecord(input);
    expect(record?.error).toMatchObject({ code: 'INTERNAL', category: 'internal' });
    expect(record?.error?.message).not.toContain('hunter2');
  });

  it('of a unit that does not exist ends with a reason and leaves no status', async () => {
    const input = { runId: crypto.randomUUID(), endpointId: 'nobody', unitId: 'nothing', sinkId: 'nowhere' };
    await runToEnd(input);
    expect(await runRecord(input)).toMatchObject({ state: 'FAILED', error: { code: 'UNIT_NOT_FOUND' } });
    expect(await statusOf(input)).toBeUndefined();
  });
});

describe('the metadata files of a run', () => {
  const DATASETS = { contents: 'entities', kind: 'Dataset' } as const;
  const NAMESPACE = 'postgres://db';
  const leave = (path: string, rows: Columns) =>
    leaveRunMetadata(room.metadataRoot, path, DATASETS, { namespace: [NAMESPACE, NAMESPACE], ...rows });
  const unitLeaving = (endpointId: string, files: RunMetadataFile[]) =>
    unitWith(endpointId, async () => ({ ...resultOf({ cursor: JANUARY }), metadataFiles: files }));

  it('are applied before the run ends, and the change log names the run', async () => {
    const urn = datasetUrn(NAMESPACE, 'orders');
    const links = { from: [urn], to: ['nucleus:owner:somebody'] };
    const input = (
      await unitLeaving('metadata', [
        await leave('metadata/a.arrows', { name: ['orders', 'lines'], rowCount: Int32Array.of(7, 8) }),
        await leaveRunMetadata(room.metadataRoot, 'metadata/b.arrows', { contents: 'links', kind: 'OWNED_BY' }, links),
      ])
    )();
    await runToEnd(input);
    expect(await runRecord(input)).toMatchObject({
      state: 'SUCCEEDED',
      stats: { rowsRead: 3, metadata: { files: 2, failed: 0, rows: 3, refused: 0, problems: [] } },
    });
    const [change] = await graph.log.history(urn, { limit: 1 });
    expect(change).toMatchObject({
      change: { actor: 'ingestion', runId: input.runId },
      item: { after: { rowCount: 7 } },
    });
    const [owner] = await graph.query('MATCH (:Dataset {urn: $urn})-[:OWNED_BY]->(o) RETURN o.placeholder AS early', {
      urn,
    });
    expect(owner).toEqual({ early: true });
  });

  it('do not fail the run by rows that are refused', async () => {
    const path = 'metadata/refused.arrows';
    const rows = await leave(path, { name: ['bad', 'good'], rowCount: Float64Array.of(1.5, 2) });
    const input = (await unitLeaving('metadata-refused', [rows]))();
    await runToEnd(input);
    expect(await runRecord(input)).toMatchObject({
      state: 'SUCCEEDED',
      stats: {
        metadata: {
          rows: 2,
          refused: 1,
          problems: [{ path, row: 1, message: expect.stringContaining('properties.rowCount must be a whole number') }],
        },
      },
    });
  });

  it.each<[string, string, Partial<RunMetadataFile>, string]>([
    ['cannot be read', 'metadata-changed', { sha256: '0'.repeat(64) }, 'is not the one that the run has left'],
    ['breaks the contract', 'metadata-broken', { sha256: 'none' }, 'breaks the contract'],
  ])('do not keep the checkpoint back when one %s: the rows are in the sink', async (_, unit, change, message) => {
    const file = await leave(`metadata/${unit}.arrows`, { name: ['a', 'b'] });
    const input = (await unitLeaving(unit, [{ ...file, ...change }]))();
    await runToEnd(input);
    expect(await runRecord(input)).toMatchObject({
      state: 'SUCCEEDED',
      error: null,
      stats: {
        metadata: {
          failed: 1,
          rows: 0,
          problems: [{ path: file.path, row: null, message: expect.stringContaining(message) }],
        },
      },
    });
    expect((await room.checkpoints.load(keyOf(input))).version).toBe(1);
  });

  it('are given to another worker soon after theirs has died', async () => {
    const input = (await unitLeaving('metadata-alive', [await leave('metadata/alive.arrows', { name: ['a', 'b'] })]))();
    await runToEnd(input);
    const { events } = await workflowOf(input).fetchHistory();
    const scheduled = (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes ?? []);
    const apply = scheduled.find(({ activityType }) => activityType?.name === 'applyRunMetadata');
    expect(Number(apply?.heartbeatTimeout?.seconds)).toBe(20);
  });
});

describe('a cancellation', () => {
  it('ends the run as CANCELLED once the data worker has let go', async () => {
    const began = gate();
    const runOf = await unitWith('cancel', async () => {
      began.open();
      return untilCancelled();
    });
    const input = runOf();
    await client.start(input);
    await began.passed;
    expect(await client.cancel(input.endpointId, input.unitId)).toMatchObject({ runs: [{ runId: input.runId }] });
    await expect(workflowOf(input).result()).rejects.toThrow();
    expect(await runRecord(input)).toMatchObject({ state: 'CANCELLED', error: null });
    expect(await statusOf(input)).toMatchObject({ state: 'CANCELLED', error: null });
    expect((await room.checkpoints.load(keyOf(input))).version).toBe(0);
    expect(await client.cancel(input.endpointId, input.unitId)).toBeUndefined();
  });

  it('that comes after the sink has committed does not keep the checkpoint back', async () => {
    const [reached, released] = [gate(), gate()];
    before.completeIngestionRun = () => {
      reached.open();
      return released.passed;
    };
    const runOf = await unitWith('cancel-late', async () => resultOf({ cursor: JANUARY }));
    const input = runOf();
    await client.start(input);
    await reached.passed;
    delete before.completeIngestionRun;
    await client.cancel(input.endpointId, input.unitId);
    await vi.waitFor(async () => expect(await hasSeenItsCancellation(input)).toBe(true), {
      timeout: HISTORY_WITHIN_MS,
    });
    released.open();
    await workflowOf(input).result();
    expect(await statusOf(input)).toMatchObject({ state: 'SUCCEEDED', checkpointVersion: 1 });
    expect(await room.checkpoints.load(keyOf(input))).toMatchObject({ version: 1, cursor: cursorAt(JANUARY) });
  });

  /** Whether the workflow has run since it was asked to stop. */
  async function hasSeenItsCancellation(input: IngestionRunInput): Promise<boolean> {
    const { events } = await workflowOf(input).fetchHistory();
    const asked = events?.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes) ?? -1;
    return asked >= 0 && (events ?? []).slice(asked).some((event) => event.workflowTaskCompletedEventAttributes);
  }
});

describe('a unit with several sinks', () => {
  const ONE = 'several-one';
  const SINKS = ['-a', '-b', '-c'].map((end) => `${ONE}${end}`);

  /** Runs into each sink of a unit whose data worker follows the script. */
  async function severalRuns(endpointId: string, script: DataScript) {
    workers.scripts.set(endpointId, script);
    const sinkIds = ['a', 'b', 'c'].map((end) => `${endpointId}-${end}`);
    const runOf = await room.defineUnit(endpointId, { sinkIds });
    const { unitId } = runOf();
    const runs = sinkIds.map((sinkId) => runOf({ sinkId }));
    const sinkRuns = runs.map(({ runId, sinkId }) => ({ runId, sinkId }));
    return { runs, input: { endpointId, unitId, extractionId: randomUUID(), runs: sinkRuns } };
  }

  it('runs into one after the other, from one extraction, and one that fails stops no other', async () => {
    const failure = { code: 'SINK_FULL', category: 'sink', field: null, message: 'no room', retryable: false };
    const asked: { sinkId: string | undefined; extractionId: string | null }[] = [];
    const { runs, input } = await severalRuns(ONE, async ({ sinkId, execution }) => {
      asked.push({ sinkId, extractionId: execution.extractionId });
      if (sinkId === SINKS[1]) throw ApplicationFailure.create({ nonRetryable: true, details: [failure] });
      return resultOf({ cursor: JANUARY });
    });
    expect(await client.start(input)).toEqual({ runs: input.runs, alreadyRunning: false });
    const [first, second, third] = runs as [IngestionRunInput, IngestionRunInput, IngestionRunInput];
    await expect(workflowOf(first).result()).rejects.toThrow();
    const { extractionId } = input;
    expect(asked).toEqual(SINKS.map((sinkId) => ({ sinkId, extractionId })));
    for (const run of [first, third]) {
      expect(await statusOf(run)).toMatchObject({ state: 'SUCCEEDED', lastRunId: run.runId, checkpointVersion: 1 });
      expect(await room.checkpoints.load(keyOf(run))).toMatchObject({ version: 1 });
    }
    expect(await statusOf(second)).toMatchObject({ state: 'FAILED', error: { code: 'SINK_FULL' } });
    expect((await room.checkpoints.load(keyOf(second))).version).toBe(0);
    expect(await runRecord(second)).toMatchObject({ state: 'FAILED', sinkId: SINKS[1] });

    // The one that has failed goes on from its own checkpoint; the others stay where they are.
    workers.scripts.set(ONE, async () => resultOf({ cursor: JANUARY }));
    await runToEnd({ ...second, runId: randomUUID() });
    expect(await Promise.all(runs.map(async (run) => (await statusOf(run))?.checkpointVersion))).toEqual([1, 1, 1]);
  });

  it('is cancelled as a whole, those that wait for their turn too', async () => {
    const begun = gate();
    const { runs, input } = await severalRuns('several-cancelled', async ({ sinkId }) => {
      if (sinkId?.endsWith('-a')) return resultOf({ cursor: JANUARY });
      begun.open();
      return untilCancelled();
    });
    await client.start(input);
    await begun.passed;
    const [first] = runs as [IngestionRunInput];
    expect(await client.runningUnit(first.endpointId, first.unitId)).toEqual({ runs: input.runs });
    // Each sink has its own status, so the reconciler must know all runs of the workflow.
    const lost = await reconcileRuns({ catalog: graph.catalog, graph: graph.store, client, now: () => new Date() });
    expect(lost).toEqual([]);
    expect(await client.cancel(first.endpointId, first.unitId)).toEqual({ runs: input.runs });
    await expect(workflowOf(first).result()).rejects.toThrow();
    const states = await Promise.all(runs.map(async (run) => (await runRecord(run))?.state));
    expect(states).toEqual(['SUCCEEDED', 'CANCELLED', 'CANCELLED']);
    expect(await statusOf(first)).toMatchObject({ state: 'SUCCEEDED' });
  });
});

describe('a second start', () => {
  it('finds the run that is running, also when many start at once', async () => {
    const finish = gate();
    const runOf = await unitWith('twice', async () => {
      await finish.passed;
      return resultOf({ cursor: JANUARY });
    });
    const starts = await Promise.all([client.start(runOf()), client.start(runOf()), client.start(runOf())]);
    const running = starts.find((start) => !start.alreadyRunning);
    const found = { runs: running?.runs, alreadyRunning: true };
    expect(running?.runs).toEqual([{ runId: expect.any(String), sinkId: 'twice-lake' }]);
    expect(starts.filter((start) => start.alreadyRunning)).toEqual([found, found]);
    finish.open();
    const input = runOf();
    await workflowOf(input).result();
    expect(await graph.catalog.runs({ endpointId: 'twice' }).count()).toBe(1);
    expect(await client.start(input)).toMatchObject({ runs: [{ runId: input.runId }], alreadyRunning: false });
    await workflowOf(input).result();
  });
});

describe('reading the templates', () => {
  it('stores what the data worker offers, however many servers ask', async () => {
    await Promise.all([client.syncTemplates(), client.syncTemplates(), client.syncTemplates()]);
    await temporal.client.workflow.getHandle(TEMPLATE_SYNC_WORKFLOW_ID).result();
    expect((await graph.catalog.templates({ role: 'source' })).map(({ id }) => id)).toContain('jdbc_postgres');
  });
});

describe('the reconciler', () => {
  it('gives up a run that no workflow runs any more, and leaves one alone that runs', async () => {
    const [began, finish] = [gate(), gate()];
    const alive = await unitWith('alive', async () => {
      began.open();
      await finish.passed;
      return resultOf({ cursor: JANUARY });
    });
    const living = alive();
    await client.start(living);
    await began.passed;
    const lost = (await room.defineUnit('lost'))();
    await room.control.startIngestionRun(lost);

    const reconcile = () =>
      reconcileRuns({ catalog: graph.catalog, graph: graph.store, client, now: () => new Date() });
    expect(await reconcile()).toEqual([lost.runId]);
    const error = { code: 'RUN_LOST', category: 'internal', field: null };
    expect(await statusOf(lost)).toMatchObject({ state: 'FAILED', error });
    expect(await runRecord(lost)).toMatchObject({ state: 'FAILED', error });
    expect(await statusOf(living)).toMatchObject({ state: 'RUNNING', error: null });
    expect(await reconcile()).toEqual([]);

    finish.open();
    await workflowOf(living).result();
    expect(await statusOf(living)).toMatchObject({ state: 'SUCCEEDED' });
  });
});
