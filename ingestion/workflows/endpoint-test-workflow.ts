import { ApplicationFailure } from '@temporalio/workflow';
import { WORKER_UNAVAILABLE } from '../contracts/names.js';
import type { TestEndpointInput } from '../contracts/operations.js';
import type { EndpointTestInput, EndpointTestReport } from '../contracts/workflow.js';
import { asked, control } from './activity-proxies.js';
import { describeFailure, wasNeverTaken } from './describe-failure.js';

/** One connection test: look the config up, let Python connect, keep what it found. */
export async function endpointTestWorkflow({ testId, subject }: EndpointTestInput): Promise<EndpointTestReport> {
  const { payload, endpointVersion, startedAt } = await control.prepareEndpointTest(subject);
  const endpointId = 'endpointId' in subject ? subject.endpointId : null;
  const outcome = await outcomeOf(payload);
  return control.storeEndpointTest({ testId, endpointId, endpointVersion, startedAt, ...outcome });
}

async function outcomeOf(payload: TestEndpointInput): Promise<Pick<EndpointTestReport, 'result' | 'failure'>> {
  try {
    return { result: await asked.testMetadataEndpoint(payload), failure: null };
  } catch (error) {
    // Nothing was learned of the endpoint, so there is nothing to keep.
    if (wasNeverTaken(error)) throw ApplicationFailure.nonRetryable('no data worker', WORKER_UNAVAILABLE);
    return { result: null, failure: describeFailure(error, { name: 'test', again: 'test the endpoint again' }) };
  }
}
