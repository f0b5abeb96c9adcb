import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { IngestionFailure } from '../contracts/run.js';

/** How a failure names the work that it ended. */
export interface FailedWork {
  readonly name: string;
  /** What to do once the cause is mended. */
  readonly again: string;
}

const RUN: FailedWork = { name: 'run', again: 'start the unit again' };

/** What people are told of an activity that failed: the error that the worker gave, or what is known where it gave none. */
export function describeFailure(error: unknown, { name, again }: FailedWork = RUN): IngestionFailure {
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
      message: `the data worker stopped answering (${cause.timeoutType}) and no other attempt succeeded: look at the worker's log, then ${again}`,
      retryable: true,
    };
  }
  return {
    code: 'INTERNAL',
    category: 'internal',
    field: null,
    message: `an unexpected fault ended the ${name}: the workers' logs hold the cause under the ${name} id`,
    retryable: false,
  };
}

/** Whether no worker took the activity within its time: nothing has been tried then. */
export function wasNeverTaken(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
}
