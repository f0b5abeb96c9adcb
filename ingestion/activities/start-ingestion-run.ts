import type { EndpointRecord, StatusRecord, UnitRecord, UnitSinkRecord } from '#graph-store';
import { type CheckpointStore, checkpointKey } from '#kv';
import type { Checkpoint, IngestionRunInput, PreparedRun } from '../contracts/index.js';
import { checkpointSchema, runIngestionUnitInputSchema } from '../contracts/index.js';
import { runStartedBatch } from '../run-records.js';
import type { ControlDependencies } from './control-dependencies.js';
import { endpointRef } from './endpoint-ref.js';
import { repeatOnConflict } from './repeat-on-conflict.js';
import { permanentFailure } from './run-failure.js';

/**
 * Loads what a run needs and marks it RUNNING. Idempotent on the run id: a repeated attempt takes the fence that the
 * first one took.
 */
export async function startIngestionRun(
  dependencies: ControlDependencies,
  input: IngestionRunInput,
): Promise<PreparedRun> {
  return repeatOnConflict(() => begin(dependencies, input));
}

async function begin(
  { catalog, graph, checkpoints, now }: ControlDependencies,
  input: IngestionRunInput,
): Promise<PreparedRun> {
  const { runId, endpointId, unitId, sinkId } = input;
  const [unit, source, sink, status, run] = await Promise.all([
    catalog.unit(endpointId, unitId),
    catalog.endpoint(endpointId),
    catalog.endpoint(sinkId),
    catalog.status(endpointId, unitId, sinkId),
    catalog.run(runId),
  ]);
  const unitSink = unit?.sinks.find((candidate) => candidate.endpointId === sinkId);
  if (!unit || !unitSink || !source || !sink || !status) {
    throw permanentFailure({
      code: 'UNIT_NOT_FOUND',
      category: 'config',
      field: null,
      message: `unit ${endpointId}/${unitId} with sink ${sinkId} was deleted before its run began: define it again`,
    });
  }
  if (run !== undefined && run.state !== 'RUNNING') {
    // An attempt that was given up long ago: its late write must not bring an ended run back.
    throw permanentFailure({ code: 'RUN_ENDED', category: 'internal', field: null, message: `run ${runId} has ended` });
  }
  const checkpoint = await loadCheckpoint(checkpoints, status, source.vendor);
  const fence = status.lastRunId === runId ? status.runCount : status.runCount + 1;
  const batch = runStartedBatch(input, { startedAt: run?.startedAt ?? now(), fence, status });
  await graph.write(batch, { actor: 'ingestion', runId });
  return { vendor: source.vendor, payload: payloadOf({ run: input, unit, unitSink, source, sink, checkpoint, fence }) };
}

/** The graph is written after the key-value store, so a store that is behind it has lost something. */
async function loadCheckpoint(checkpoints: CheckpointStore, status: StatusRecord, vendor: string): Promise<Checkpoint> {
  const { endpointId, unitId, sinkId } = status;
  const { version, generation, cursor } = await checkpoints.load(checkpointKey({ vendor, endpointId, unitId, sinkId }));
  if (generation < status.generation || (generation === status.generation && version < status.checkpointVersion)) {
    throw permanentFailure({
      code: 'CHECKPOINT_LOST',
      category: 'config',
      field: null,
      message:
        `the key-value store holds version ${version} of this checkpoint, but version ${status.checkpointVersion} was ` +
        'committed: point KV_PATH to the store that was used before, or restore it; starting anyway would deliver rows again',
    });
  }
  return checkpointSchema.parse({ version, generation, cursor });
}

function payloadOf(facts: {
  run: IngestionRunInput;
  unit: UnitRecord;
  unitSink: UnitSinkRecord;
  source: EndpointRecord;
  sink: EndpointRecord;
  checkpoint: Checkpoint;
  fence: number;
}): PreparedRun['payload'] {
  const { unit, unitSink } = facts;
  return runIngestionUnitInputSchema.parse({
    endpointId: unit.endpointId,
    unitId: unit.id,
    sinkId: unitSink.endpointId,
    checkpoint: facts.checkpoint,
    stagingProviderId: unit.stagingProviderId,
    policy: unit.policy,
    execution: {
      runId: facts.run.runId,
      extractionId: facts.run.extractionId ?? null,
      fence: facts.fence,
      source: endpointRef(facts.source),
      sink: endpointRef(facts.sink),
      unit: {
        object: unit.object,
        mode: unit.mode,
        cursorField: unit.cursorField,
        primaryKey: unit.primaryKey,
        target: unitSink.target,
        writeMode: unitSink.writeMode,
      },
    },
  });
}
