import type { EndpointRecord, UnitRecord, UnitSinkRecord } from '#graph-store';
import { checkpointKey } from '#kv';
import type { Checkpoint, EndpointRef, IngestionRunInput, PreparedRun } from '../contracts/index.js';
import { checkpointSchema, runIngestionUnitInputSchema } from '../contracts/index.js';
import { runStartedBatch } from '../run-records.js';
import type { ControlDependencies } from './control-dependencies.js';
import { permanentFailure } from './run-failure.js';

/**
 * Loads what a run needs and marks it RUNNING. Idempotent on the run id: a repeated attempt takes the fence that the
 * first one took.
 */
export async function startIngestionRun(
  { catalog, graph, checkpoints, now }: ControlDependencies,
  input: IngestionRunInput,
): Promise<PreparedRun> {
  const { runId, endpointId, unitId, sinkId } = input;
  const unit = await catalog.unit(endpointId, unitId);
  const unitSink = unit?.sinks.find((sink) => sink.endpointId === sinkId);
  const [source, sink, status] = await Promise.all([
    catalog.endpoint(endpointId),
    catalog.endpoint(sinkId),
    catalog.status(endpointId, unitId, sinkId),
  ]);
  if (!unit || !unitSink || !source || !sink || !status) {
    throw permanentFailure({
      code: 'UNIT_NOT_FOUND',
      category: 'config',
      field: null,
      message: `unit ${endpointId}/${unitId} with sink ${sinkId} was deleted before its run began: define it again`,
    });
  }
  const stored = await checkpoints.load(checkpointKey({ vendor: source.vendor, endpointId, unitId, sinkId }));
  const fence = status.lastRunId === runId ? status.runCount : status.runCount + 1;
  const startedAt = (await catalog.run(runId))?.startedAt ?? now();
  await graph.write(runStartedBatch(input, { startedAt, fence }), { actor: 'ingestion', runId });
  const checkpoint = checkpointSchema.parse({
    version: stored.version,
    generation: stored.generation,
    cursor: stored.cursor,
  });
  return { vendor: source.vendor, payload: payloadOf({ runId, unit, unitSink, source, sink, checkpoint, fence }) };
}

function payloadOf(facts: {
  runId: string;
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
      runId: facts.runId,
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

function endpointRef(endpoint: EndpointRecord): EndpointRef {
  return { endpointId: endpoint.id, templateId: endpoint.templateId, config: endpoint.config };
}
