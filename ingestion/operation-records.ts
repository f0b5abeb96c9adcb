import { endpointTestUrn, endpointUrn } from '#graph-schema';
import type { GraphBatch } from '#graph-store';
import type { EndpointTestReport } from './contracts/index.js';
import { errorProperties } from './error-properties.js';

/** The graph when a registered endpoint was tested. Pure, as are all builders of records. */
export function endpointTestBatch(report: EndpointTestReport & { readonly endpointId: string }): GraphBatch {
  const { testId, endpointId, endpointVersion, startedAt, endedAt, result, failure } = report;
  const urn = endpointTestUrn(testId);
  const passed = result?.passed ?? false;
  return {
    entities: [
      {
        kind: 'EndpointTest',
        urn,
        name: `${endpointId}: ${passed ? 'passed' : 'failed'}`,
        properties: {
          id: testId,
          endpointId,
          endpointVersion,
          passed,
          checks: JSON.stringify(result?.checks ?? []),
          startedAt: new Date(startedAt),
          endedAt: new Date(endedAt),
          ...errorProperties(failure),
        },
      },
    ],
    edges: [{ kind: 'HAS_TEST', from: endpointUrn(endpointId), to: urn }],
  };
}
