import { checkpointKey } from '#kv';
import { type CompleteIngestionRunInput, runIngestionUnitResultSchema } from '../contracts/index.js';
import { runCompletedBatch } from '../run-records.js';
import type { ControlDependencies } from './control-dependencies.js';
import { repeatOnConflict } from './repeat-on-conflict.js';
import { permanentFailure } from './run-failure.js';

/**
 * Stores the checkpoint, then the run's end and its lineage. The checkpoint goes first: after a crash between the two a
 * repeated attempt finds its own run id under the key and goes on with the graph (rule R10).
 */
export async function completeIngestionRun(
  { catalog, graph, checkpoints, now }: ControlDependencies,
  input: CompleteIngestionRunInput,
): Promise<void> {
  const { runId, endpointId, unitId, sinkId, vendor } = input;
  const result = runIngestionUnitResultSchema.parse(input.result);
  const cursor = result.new_checkpoint?.cursor ?? null;
  const commit = await checkpoints.commit(checkpointKey({ vendor, endpointId, unitId, sinkId }), {
    runId,
    expectedVersion: input.checkpoint.version,
    cursor,
    stats: result.stats,
  });
  if (!commit.ok) {
    throw permanentFailure({
      code: commit.reason === 'stale' ? 'CHECKPOINT_CONFLICT' : 'CHECKPOINT_NOT_MONOTONE',
      category: 'internal',
      field: null,
      message:
        commit.reason === 'stale'
          ? `the checkpoint moved from version ${input.checkpoint.version} to ${commit.current.version} during the run, so this run's checkpoint was not stored: start the unit again`
          : 'the run returned a cursor below the stored watermark, so its checkpoint was not stored: report this with the run id',
    });
  }
  await repeatOnConflict(async () => {
    const [run, status] = await Promise.all([catalog.run(runId), catalog.status(endpointId, unitId, sinkId)]);
    const batch = runCompletedBatch(input, {
      endedAt: run?.endedAt ?? now(),
      stats: result.stats,
      metadata: input.metadata,
      status,
      checkpoint: {
        generation: input.checkpoint.generation,
        version: commit.version,
        cursor,
        advanced: cursor !== null,
        previousUrn: status?.checkpointUrn ?? null,
      },
    });
    await graph.write(batch, { actor: 'ingestion', runId });
  });
}
