import type { EndpointRecord, EndpointTestRecord } from '#graph-store';
import type { EndpointTestReport } from '#ingestion/contracts';
import { type TestMetadataEndpointInput, testMetadataEndpoint } from '../commands/test-metadata-endpoint.js';
import { withUserErrors } from '../commands/user-errors.js';
import { connection, type PageArguments } from './connection.js';
import type { GraphqlContext } from './graphql-context.js';
import { upper } from './views.js';

export const endpointOperationMutations = {
  testMetadataEndpoint: (
    _: unknown,
    { input }: { readonly input: TestMetadataEndpointInput },
    { commands }: GraphqlContext,
  ) =>
    withUserErrors({ test: null as EndpointTestView | null }, async () => ({
      test: reportView(await testMetadataEndpoint(commands, input)),
    })),
};

export const endpointResolvers = {
  tests: ({ id }: EndpointRecord, args: PageArguments, { commands: { catalog } }: GraphqlContext) =>
    connection(catalog.endpointTests(id), args, testView),

  lastTest: async ({ id }: EndpointRecord, _: unknown, { commands: { catalog } }: GraphqlContext) => {
    const { rows } = await catalog.endpointTests(id).page({ first: 1 });
    return rows[0] === undefined ? null : testView(rows[0].record);
  },
};

type EndpointTestView = ReturnType<typeof testView>;

function testView(test: Omit<EndpointTestRecord, 'urn' | 'version' | 'createdAt' | 'updatedAt' | TestPlace> & Placed) {
  return { ...test, checks: test.checks.map((check) => ({ ...check, status: upper(check.status) })) };
}

/** A test of a config that is not registered is of no endpoint. */
type TestPlace = 'endpointId' | 'endpointVersion';
type Placed = { readonly [Name in TestPlace]: EndpointTestRecord[Name] | null };

function reportView({ testId, result, failure, startedAt, endedAt, ...place }: EndpointTestReport): EndpointTestView {
  return testView({
    ...{ id: testId, endpointId: place.endpointId, endpointVersion: place.endpointVersion },
    ...{ passed: result?.passed ?? false, checks: result?.checks ?? [], error: failure },
    ...{ startedAt: new Date(startedAt), endedAt: new Date(endedAt) },
  });
}
