import type { IngestionCatalog } from '#graph-store';
import {
  type EndpointTestInput,
  type EndpointTestReport,
  type PreparedEndpointTest,
  testEndpointInputSchema,
  testEndpointResultSchema,
} from '../contracts/index.js';
import { endpointTestBatch } from '../operation-records.js';
import type { ControlDependencies } from './control-dependencies.js';
import { endpointRef, presentEndpoint } from './endpoint-ref.js';

/** Tests of one endpoint that stay in the graph. */
export const KEPT_TESTS = 20;
/** More than can come together while others are stored; what is left goes with the next test. */
const SURPLUS = 100;

export async function prepareEndpointTest(
  { catalog, now }: ControlDependencies,
  subject: EndpointTestInput['subject'],
): Promise<PreparedEndpointTest> {
  const startedAt = now().toISOString();
  if ('draft' in subject) {
    return { payload: testEndpointInputSchema.parse(subject.draft), endpointVersion: null, startedAt };
  }
  const endpoint = await presentEndpoint(catalog, subject.endpointId);
  const payload = testEndpointInputSchema.parse({ role: endpoint.role, endpoint: endpointRef(endpoint) });
  return { payload, endpointVersion: endpoint.version, startedAt };
}

/** Keeps a test with its endpoint, and the latest tests alone. Idempotent on the id of the test. */
export async function storeEndpointTest(
  { catalog, graph, now }: ControlDependencies,
  untimed: Omit<EndpointTestReport, 'endedAt'>,
): Promise<EndpointTestReport> {
  if (untimed.result !== null) testEndpointResultSchema.parse(untimed.result);
  const report: EndpointTestReport = { ...untimed, endedAt: now().toISOString() };
  const { endpointId } = report;
  // An endpoint that was deleted meanwhile has no place where anybody would look for the test.
  if (endpointId === null || (await catalog.endpoint(endpointId)) === undefined) return report;
  await graph.write(endpointTestBatch({ ...report, endpointId }), { actor: 'ingestion' });
  const purges = await surplusTests(catalog, endpointId);
  // Each stands alone: a test that was stored at the same time may have removed some of them.
  if (purges.length > 0) await graph.write({ purges }, { actor: 'ingestion' }, { atomic: false });
  return report;
}

async function surplusTests(catalog: IngestionCatalog, endpointId: string): Promise<{ urn: string }[]> {
  const { rows } = await catalog.endpointTests(endpointId).page({ first: KEPT_TESTS + SURPLUS });
  return rows.slice(KEPT_TESTS).map(({ record }) => ({ urn: record.urn }));
}
