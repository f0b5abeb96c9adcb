import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { RunMetadataFile } from '../contracts/run.js';
import type { IngestionRunInput, IngestionWorkflowInput, RunMetadataSummary } from '../contracts/workflow.js';
import { control, data, metadata } from './activity-proxies.js';
import { describeFailure } from './describe-failure.js';

/**
 * The runs of a unit, one for each sink, one after the other: the first reads the source, the others find what it has staged.
 * Each has its own checkpoint, and its failure is its own: the others run all the same.
 *
 * @throws the first failure, once all have run
 */
export async function ingestionRunWorkflow(input: IngestionWorkflowInput): Promise<void> {
  if (!('runs' in input)) return ingest(input);
  const { runs, ...unit } = input;
  const failures: unknown[] = [];
  for (const run of runs) {
    // After a cancellation each run that has not begun is recorded as cancelled.
    await ingest({ ...unit, ...run }).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures.find(isCancellation) ?? failures[0];
}

/**
 * One run into one sink: load the checkpoint, let Python move the rows, then store the new checkpoint and the lineage.
 * The checkpoint moves only after Python has answered, and Python answers only after the sink has committed (rule R1).
 */
async function ingest(input: IngestionRunInput): Promise<void> {
  try {
    const { payload, vendor } = await control.startIngestionRun(input);
    const result = await data.runIngestionUnit(payload);
    // The sink has committed: a cancellation that arrives now must not keep the checkpoint from following.
    await CancellationScope.nonCancellable(async () => {
      const { metadataFiles, ...rest } = result;
      const files = metadataFiles ?? [];
      // A run from before such files has none, so its history is replayed as it was written.
      const applied = files.length === 0 ? {} : { metadata: await applyMetadata(input, files) };
      await control.completeIngestionRun({
        ...input,
        ...applied,
        vendor,
        checkpoint: { version: payload.checkpoint.version, generation: payload.checkpoint.generation },
        result: rest,
      });
    });
  } catch (error) {
    const cancelled = isCancellation(error);
    await CancellationScope.nonCancellable(() =>
      control.failIngestionRun({
        ...input,
        state: cancelled ? 'CANCELLED' : 'FAILED',
        failure: cancelled ? null : describeFailure(error),
      }),
    );
    throw error;
  }
}

/**
 * The rows are in the sink. Were the checkpoint kept back for the sake of the metadata, the next run would bring the same
 * rows once more, and a sink that appends would hold them twice: so what speaks against the files is but told.
 */
async function applyMetadata(input: IngestionRunInput, files: readonly RunMetadataFile[]): Promise<RunMetadataSummary> {
  try {
    return await metadata.applyRunMetadata({ ...input, files });
  } catch (error) {
    const { message } = describeFailure(error);
    const problems = files.slice(0, 1).map(({ path }) => ({ path, row: null, message }));
    return { files: files.length, failed: files.length, rows: 0, refused: 0, problems };
  }
}
