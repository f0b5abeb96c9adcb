import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '#errors';
import { unitStateUrn, unitUrn } from '#graph-schema';
import type { EntityUpsert, PropertyValue } from '#graph-store';
import { unitEdges } from '#ingestion';
import { CheckpointStore, createKeyValueStore } from '#kv';
import { createControlActivities } from '../../ingestion/activities/control-activities.js';
import { defineIngestionUnit } from '../../server/commands/define-ingestion-unit.js';
import { deleteMetadataEndpoint } from '../../server/commands/delete-metadata-endpoint.js';
import { registerMetadataEndpoint } from '../../server/commands/register-metadata-endpoint.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type IngestionRoom, openIngestionRoom, resultOf, UNIT_ID } from '../support/ingestion-room.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('changes');

let graph: TestGraph;
let temporal: TestNamespace;
let room: IngestionRoom;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('changes')]);
  room = await openIngestionRoom(graph, temporal.client);
});
afterAll(async () => {
  for (const part of [room, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

/** With a status and three edges each, more than `WRITE_LIMITS.items`. */
const UNITS = 1_100;

/** The properties that a writer gives. */
const own = ({ urn, version, createdAt, updatedAt, lastChange, ...properties }: Record<string, PropertyValue>) =>
  properties;

const unitOf = (endpointId: string, change: object = {}) => ({
  endpointId,
  unitId: UNIT_ID,
  object: { table: UNIT_ID },
  mode: 'incremental' as const,
  cursorField: 'updated_at',
  primaryKey: ['id'],
  sinks: [{ endpointId: `${endpointId}-lake`, writeMode: 'append' as const }],
  ...change,
});

async function deliverSomething(endpointId: string): Promise<void> {
  const run = (await room.defineUnit(endpointId))();
  const { payload, vendor } = await room.control.startIngestionRun(run);
  const result = resultOf({ cursor: '2026-01-01T00:00:00.000000Z' });
  await room.control.completeIngestionRun({ ...run, vendor, checkpoint: payload.checkpoint, result });
}

describe('a unit that has delivered rows', () => {
  it.each([
    ['object', { object: { table: 'another' } }, 'input.object'],
    ['cursor', { cursorField: 'created_at' }, 'input.cursorField'],
    ['mode', { mode: 'full', cursorField: null }, 'input.mode'],
  ])('keeps its %s: under another, rows below the watermark would be skipped', async (name, change, field) => {
    const endpointId = `${PREFIX}-${name}`;
    await deliverSomething(endpointId);
    const problems = await problemsOf(defineIngestionUnit(room.commands, unitOf(endpointId, change)));
    expect(problems).toContainEqual(expect.objectContaining({ code: 'CONFLICT', field }));
  });

  it('keeps the target of a sink, and takes what does not touch the checkpoint', async () => {
    const endpointId = `${PREFIX}-target`;
    await deliverSomething(endpointId);
    const sinks = [{ endpointId: `${endpointId}-lake`, target: 'another', writeMode: 'append' as const }];
    const problems = await problemsOf(defineIngestionUnit(room.commands, unitOf(endpointId, { sinks })));
    expect(problems).toMatchObject([{ code: 'CONFLICT', field: 'input.sinks.target', elementIndex: 0 }]);
    const policy = { sliceRows: 10 };
    const { unit } = await defineIngestionUnit(room.commands, unitOf(endpointId, { policy }));
    expect(unit.policy).toEqual(policy);
  });

  it('does not start on a key-value store that is behind the graph', async () => {
    const endpointId = `${PREFIX}-lost`;
    await deliverSomething(endpointId);
    await using empty = createKeyValueStore({ kind: 'memory' });
    const control = createControlActivities({
      catalog: graph.catalog,
      graph: graph.store,
      checkpoints: new CheckpointStore(empty),
      knowledge: graph.knowledge,
      metadataRoot: room.metadataRoot,
      now: () => new Date(),
    });
    const run = (await room.defineUnit(endpointId))();
    await expect(control.startIngestionRun(run)).rejects.toMatchObject({ type: 'CHECKPOINT_LOST', nonRetryable: true });
    expect(await graph.catalog.run(run.runId)).toBeUndefined();
  });
});

describe('a sink that was deleted with the units that used it', () => {
  it('is not a sink of the unit when that is defined again', async () => {
    const endpointId = `${PREFIX}-again`;
    await room.defineUnit(endpointId, { sinkIds: [`${endpointId}-old`] });
    await deleteMetadataEndpoint(room.commands, { id: `${endpointId}-old`, cascade: true });
    await room.defineUnit(endpointId, { sinkIds: [`${endpointId}-new`] });
    const unit = await graph.catalog.unit(endpointId, UNIT_ID);
    expect(unit?.sinks.map((sink) => sink.endpointId)).toEqual([`${endpointId}-new`]);

    // And it can come back and go again without anybody in its way.
    await registerMetadataEndpoint(room.commands, lake(`${endpointId}-old`));
    const { deletedUrns } = await deleteMetadataEndpoint(room.commands, { id: `${endpointId}-old` });
    expect(deletedUrns).toHaveLength(1);
  });
});

describe('two registrations of one id at once', () => {
  it('leave the config of the one that succeeded', async () => {
    const id = `${PREFIX}-twice`;
    const attempts = await Promise.allSettled(
      ['/one', '/two', '/three'].map((directory) => registerMetadataEndpoint(room.commands, lake(id, directory))),
    );
    const winners = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(winners).toHaveLength(1);
    expect((await graph.catalog.endpoint(id))?.config).toEqual(winners[0]?.endpoint.config);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected')
        expect(attempt.reason).toMatchObject({ problems: [{ code: 'CONFLICT', field: 'input.id' }] });
    }
  });
});

describe('a run that begins where another was abandoned', () => {
  it('closes that one as lost', async () => {
    const runOf = await room.defineUnit(`${PREFIX}-abandoned`);
    const abandoned = runOf();
    await room.control.startIngestionRun(abandoned);
    await room.control.startIngestionRun(runOf());
    expect(await graph.catalog.run(abandoned.runId)).toMatchObject({ state: 'FAILED', error: { code: 'RUN_LOST' } });
    // A late repetition of its start does not bring it back.
    await expect(room.control.startIngestionRun(abandoned)).rejects.toMatchObject({ type: 'RUN_ENDED' });
  });
});

describe('an endpoint with more units than one transaction can delete', () => {
  it('is deleted with all of them', async () => {
    const endpointId = `${PREFIX}-crowded`;
    await room.defineUnit(endpointId);
    const [defined] = await graph.query(
      'MATCH (u:Entity {urn: $unit})-[:HAS_STATE]->(s) RETURN properties(u) AS unit, properties(s) AS state',
      { unit: unitUrn(endpointId, UNIT_ID) },
    );
    const { unit, state } = defined as Record<'unit' | 'state', Record<string, PropertyValue>>;
    const ids = Array.from({ length: UNITS }, (_, row) => `unit_${row}`);
    const lakeId = `${endpointId}-lake`;
    await graph.store.write(
      {
        entities: ids.flatMap((id): EntityUpsert[] => [
          { kind: 'IngestionUnit', urn: unitUrn(endpointId, id), name: id, properties: { ...own(unit), id } },
          {
            kind: 'IngestionUnitState',
            urn: unitStateUrn(endpointId, id, lakeId),
            properties: { ...own(state), unitId: id },
          },
        ]),
        edges: ids.flatMap((id) =>
          unitEdges(endpointId, id, [{ endpointId: lakeId, target: id, writeMode: 'append' }]),
        ),
      },
      { actor: PREFIX },
      { atomic: false },
    );
    const { deletedUrns } = await deleteMetadataEndpoint(room.commands, { id: endpointId, cascade: true });
    expect(deletedUrns).toHaveLength(1 + 1 + UNITS);
    const [left] = await graph.query(
      `MATCH (n:Entity) WHERE n.endpointId = $endpointId AND (n:IngestionUnit OR n:IngestionUnitState)
       RETURN count(n) AS nodes, count(n.deletedAt) AS deleted`,
      { endpointId },
    );
    expect(left?.nodes).toBeGreaterThan(UNITS);
    expect(left?.deleted).toBe(left?.nodes);
    expect(await graph.catalog.endpoint(endpointId)).toBeUndefined();
  }, 60_000);
});

const lake = (id: string, directory = '/lake') => ({ id, templateId: 'parquet_files', config: { directory } });

async function problemsOf(command: Promise<unknown>): Promise<InputError['problems']> {
  const error = await command.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw new Error(`expected an InputError, got ${String(error)}`);
  return error.problems;
}
