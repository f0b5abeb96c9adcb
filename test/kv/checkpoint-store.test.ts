import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Cursor, cursorSchema } from '#ingestion/contracts';
import { CheckpointStore, checkpointKey, createKeyValueStore, type StoredCursor } from '#kv';
import { scratchFolder } from '../support/folder.js';

const KEY = checkpointKey({ vendor: 'postgres', endpointId: 'crm', unitId: 'orders', sinkId: 'lake' });

function cursorAt(value: string, change: Partial<StoredCursor> = {}): StoredCursor {
  return {
    field: 'updated_at',
    sqlType: 'timestamp with time zone',
    family: 'timestamptz',
    timeZone: 'UTC',
    precision: 6,
    value,
    boundary: ['00112233aabbccdd'],
    tie: null,
    schemaFingerprint: 'f'.repeat(64),
    ...change,
  };
}

const EARLY = cursorAt('2013-01-01T05:00:00.000000Z');
const LATE = cursorAt('2013-12-31T23:00:00.000001Z');
const STATS = { rowsRead: 3 };

function openCheckpoints() {
  const store = createKeyValueStore({ kind: 'memory' });
  return { store, checkpoints: new CheckpointStore(store) };
}

/** A store in which run-1 has committed the late cursor. */
async function openCommitted() {
  const opened = openCheckpoints();
  await opened.checkpoints.commit(KEY, { runId: 'run-1', expectedVersion: 0, cursor: LATE, stats: STATS });
  return opened;
}

describe('a checkpoint', () => {
  it('starts at version 0 of generation 1, without a cursor', async () => {
    const { checkpoints } = openCheckpoints();
    expect(await checkpoints.load(KEY)).toEqual({
      version: 0,
      generation: 1,
      cursor: null,
      lastRunId: null,
      stats: null,
    });
  });

  it('is what the last run committed', async () => {
    const { checkpoints } = openCheckpoints();
    const now = { version: 1, generation: 1, cursor: LATE, lastRunId: 'run-1', stats: STATS };
    const commit = { runId: 'run-1', expectedVersion: 0, cursor: LATE, stats: STATS };
    expect(await checkpoints.commit(KEY, commit)).toEqual({ ok: true, changed: true, ...now });
    expect(await checkpoints.load(KEY)).toEqual(now);
  });

  it('keeps its cursor when a run brings none (R6)', async () => {
    const { checkpoints } = await openCommitted();
    const commit = { runId: 'run-2', expectedVersion: 1, cursor: null, stats: { rowsRead: 0 } };
    expect(await checkpoints.commit(KEY, commit)).toMatchObject({ ok: true, version: 2, cursor: LATE });
    expect(await checkpoints.load(KEY)).toMatchObject({ cursor: LATE, lastRunId: 'run-2', stats: { rowsRead: 0 } });
  });

  it('succeeds without a change when the run finds its own id there already (R10)', async () => {
    const { checkpoints } = await openCommitted();
    const again = { runId: 'run-1', expectedVersion: 0, cursor: EARLY, stats: { rowsRead: 99 } };
    const result = await checkpoints.commit(KEY, again);
    expect(result).toMatchObject({ ok: true, changed: false, version: 1, cursor: LATE, stats: STATS });
    expect(await checkpoints.load(KEY)).toMatchObject({ version: 1, cursor: LATE, stats: STATS });
  });

  it('refuses a zombie that started from an older version, and says where the checkpoint is (R10)', async () => {
    const { checkpoints } = await openCommitted();
    const zombie = {
      runId: 'run-0',
      expectedVersion: 0,
      cursor: cursorAt('2014-06-01T00:00:00.000000Z'),
      stats: STATS,
    };
    const current = { version: 1, cursor: LATE, lastRunId: 'run-1' };
    expect(await checkpoints.commit(KEY, zombie)).toMatchObject({ ok: false, reason: 'stale', current });
    expect(await checkpoints.load(KEY)).toMatchObject(current);
  });

  it('never goes back within a generation (R10)', async () => {
    const { checkpoints } = await openCommitted();
    const back = { runId: 'run-2', expectedVersion: 1, cursor: EARLY, stats: STATS };
    const current = { version: 1, cursor: LATE, lastRunId: 'run-1' };
    expect(await checkpoints.commit(KEY, back)).toMatchObject({ ok: false, reason: 'not-monotone', current });
    expect(await checkpoints.load(KEY)).toMatchObject(current);
  });

  it('may stay at its watermark with more rows of the tie', async () => {
    const { checkpoints } = await openCommitted();
    const tie = { ...LATE, boundary: [...LATE.boundary, 'ffeeddccbbaa9988'] };
    const commit = { runId: 'run-2', expectedVersion: 1, cursor: tie, stats: STATS };
    expect(await checkpoints.commit(KEY, commit)).toMatchObject({ ok: true, version: 2, cursor: tie });
  });

  it('keeps its generation over commits', async () => {
    const { store, checkpoints } = openCheckpoints();
    await store.put(KEY, { lastRunId: 'run-1', generation: 4, cursor: EARLY, stats: null });
    const commit = { runId: 'run-2', expectedVersion: 1, cursor: LATE, stats: STATS };
    expect(await checkpoints.commit(KEY, commit)).toMatchObject({ ok: true, version: 2, generation: 4 });
    expect(await checkpoints.load(KEY)).toMatchObject({ version: 2, generation: 4 });
  });

  it.each([
    ['field', 'created_at'],
    ['sqlType', 'timestamp(3) with time zone'],
    ['family', 'text'],
    ['timeZone', 'none'],
    ['precision', 3],
  ])('refuses a cursor whose %s is another than before (R7)', async (field, given) => {
    const { checkpoints } = await openCommitted();
    const cursor = cursorAt(LATE.value, { [field]: given });
    await expect(
      checkpoints.commit(KEY, { runId: 'run-2', expectedVersion: 1, cursor, stats: STATS }),
    ).rejects.toMatchObject({
      name: 'CheckpointMismatchError',
      details: { key: KEY, field: `cursor.${field}`, given },
    });
    expect(await checkpoints.load(KEY)).toMatchObject({ version: 1, cursor: LATE });
  });

  it.each([
    ['a value that is not canonical', { value: '2013-12-31 23:00:00+00' }, 'cursor.value'],
    ['a precision that does not exist', { precision: 9 }, 'cursor.precision'],
    ['a field that is unknown', { extra: 1 } as object, 'cursor'],
  ])('refuses a cursor with %s', async (_, change, field) => {
    const { checkpoints } = openCheckpoints();
    const cursor = cursorAt(LATE.value, change);
    await expect(
      checkpoints.commit(KEY, { runId: 'run-1', expectedVersion: 0, cursor, stats: STATS }),
    ).rejects.toMatchObject({ name: 'InputError', problems: [{ field }] });
    expect(await checkpoints.load(KEY)).toMatchObject({ version: 0 });
  });

  it('is not made up from a stored value that is none', async () => {
    const { store, checkpoints } = openCheckpoints();
    await store.put(KEY, { lastRunId: 'run-1', cursor: null });
    await expect(checkpoints.load(KEY)).rejects.toMatchObject({ name: 'KeyValueStoreError', reason: 'corrupt' });
  });

  it('lives only under a key of the contract', async () => {
    const { checkpoints } = openCheckpoints();
    await expect(checkpoints.load('ingest::postgres')).rejects.toMatchObject({ problems: [{ field: 'key' }] });
  });

  it('lets one of several runs win when they commit at once, and each attempt of the winner', async () => {
    await using folder = await scratchFolder();
    await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
    const checkpoints = new CheckpointStore(store);
    const runs = ['run-1', 'run-2', 'run-3', 'run-1', 'run-2', 'run-3'];
    const results = await Promise.all(
      runs.map((runId) => checkpoints.commit(KEY, { runId, expectedVersion: 0, cursor: LATE, stats: STATS })),
    );
    const { lastRunId, version } = await checkpoints.load(KEY);
    expect(version).toBe(1);
    expect(results.map((result) => result.ok)).toEqual(runs.map((runId) => runId === lastRunId));
    expect(results.filter((result) => result.ok && result.changed)).toHaveLength(1);
  });

  it('holds exactly the cursor of the contracts', () => {
    expectTypeOf<StoredCursor>().toEqualTypeOf<Cursor>();
    expect(cursorSchema.parse(LATE)).toEqual(LATE);
  });
});
