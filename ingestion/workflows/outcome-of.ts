import { ApplicationFailure } from '@temporalio/workflow';
import { WORKER_UNAVAILABLE } from '../contracts/names.js';
import type { IngestionFailure } from '../contracts/run.js';
import { describeFailure, type FailedWork, wasNeverTaken } from './describe-failure.js';

/**
 * What a Python activity answers, or why it could not.
 *
 * @throws ApplicationFailure WORKER_UNAVAILABLE when no worker took it: nothing was learned of the endpoint then
 */
export async function outcomeOf<Result>(
  activity: Promise<Result>,
  work: FailedWork,
): Promise<{ result: Result | null; failure: IngestionFailure | null }> {
  try {
    return { result: await activity, failure: null };
  } catch (error) {
    if (wasNeverTaken(error)) throw ApplicationFailure.nonRetryable('no data worker', WORKER_UNAVAILABLE);
    return { result: null, failure: describeFailure(error, work) };
  }
}
