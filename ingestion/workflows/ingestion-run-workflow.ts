import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { IngestionFailure } from '../contracts/run.js';
import type { IngestionRunInput } from '../contracts/workflow.js';
import { control, data } from './activity-proxies.js';

/**
 * One run of one unit: load the checkpoint, let Python move the rows, then store the new checkpoint and the lineage.
 * The checkpoint moves only after Python has answered, and Python answers only after the sink has committed (rule R1).
 */
export async function ingestionRunWorkflow(input: IngestionRunInput): Promise<void> {
  try {
    const { payload, vendor } = await control.startIngestionRun(input);
    const result = await data.runIngestionUnit(payload);
    // The sink has committed: a cancellation that arrives now must not keep the checkpoint from following.
    await CancellationScope.nonCancellable(() =>
      control.completeIngestionRun({
        ...input,
        vendor,
        checkpoint: { version: payload.checkpoint.version, generation: payload.checkpoint.generation },
        result,
      }),
    );
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

function describeFailure(error: unknown): IngestionFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const detail = cause.details?.[0] as IngestionFailure | undefined;
    if (detail !== undefined && typeof detail.code === 'string') return detail;
  }
  if (cause instanceof TimeoutFailure) {
    return {
      code: 'WORKER_LOST',
      category: 'transient',
      field: null,
      message: `the data worker stopped answering (${cause.timeoutType}) and no other attempt succeeded: look at the worker's log, then start the unit again`,
      retryable: true,
    };
  }
  return {
    code: 'INTERNAL',
    category: 'internal',
    field: null,
    message: "an unexpected fault ended the run: the workers' logs hold the cause under the run id",
    retryable: false,
  };
}
