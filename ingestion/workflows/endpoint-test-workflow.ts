import type { EndpointTestInput, EndpointTestReport } from '../contracts/workflow.js';
import { asked, control } from './activity-proxies.js';
import { outcomeOf } from './outcome-of.js';

/** One connection test: look the config up, let Python connect, keep what it found. */
export async function endpointTestWorkflow({ testId, subject }: EndpointTestInput): Promise<EndpointTestReport> {
  const { payload, endpointVersion, startedAt } = await control.prepareEndpointTest(subject);
  const endpointId = 'endpointId' in subject ? subject.endpointId : null;
  const work = { name: 'test', again: 'test the endpoint again' };
  const outcome = await outcomeOf(asked.testMetadataEndpoint(payload), work);
  return control.storeEndpointTest({ testId, endpointId, endpointVersion, startedAt, ...outcome });
}
