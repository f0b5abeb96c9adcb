import { ApplicationFailure } from '@temporalio/common';
import type { IngestionFailure } from '../contracts/index.js';

/** A failure that another attempt cannot mend; the workflow turns its detail into the run's error. */
export function permanentFailure(failure: Omit<IngestionFailure, 'retryable'>): ApplicationFailure {
  const detail: IngestionFailure = { ...failure, retryable: false };
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.code,
    nonRetryable: true,
    details: [detail],
  });
}
