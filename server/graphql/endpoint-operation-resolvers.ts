import { datasetUrn } from '#graph-schema';
import type { EndpointRecord, EndpointTestRecord, ErrorRecord } from '#graph-store';
import type { EndpointTestReport, Preview } from '#ingestion/contracts';
import { type CollectMetadataInput, cancelMetadataCollection, collectMetadata } from '../commands/collect-metadata.js';
import { type PreviewMetadataInput, previewMetadata } from '../commands/preview-metadata.js';
import { type TestMetadataEndpointInput, testMetadataEndpoint } from '../commands/test-metadata-endpoint.js';
import { withUserErrors } from '../commands/user-errors.js';
import { connection, type PageArguments } from './connection.js';
import type { GraphqlContext } from './graphql-context.js';
import { upper } from './views.js';

export const endpointOperationMutations = {
  cancelMetadataCollection: (
    _: unknown,
    { input }: { readonly input: { endpointId: string } },
    { commands }: GraphqlContext,
  ) => withUserErrors({ collectionId: null as string | null }, () => cancelMetadataCollection(commands, input)),

  collectMetadata: (_: unknown, { input }: { readonly input: CollectMetadataInput }, { commands }: GraphqlContext) =>
    withUserErrors({ collectionId: null as string | null, alreadyRunning: false }, () =>
      collectMetadata(commands, input),
    ),

  previewMetadata: (_: unknown, { input }: { readonly input: PreviewMetadataInput }, { commands }: GraphqlContext) =>
    withUserErrors({ preview: null as PreviewView | null, error: null as ErrorRecord | null }, async () => {
      const { preview, error } = await previewMetadata(commands, input);
      return { preview: preview && previewView(preview), error };
    }),

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

  collections: ({ id }: EndpointRecord, args: PageArguments, { commands: { catalog } }: GraphqlContext) =>
    connection(catalog.collections(id), args, (collection) => collection),

  lastCollection: async ({ id }: EndpointRecord, _: unknown, { commands: { catalog } }: GraphqlContext) =>
    (await catalog.collections(id).page({ first: 1 })).rows[0]?.record ?? null,
};

type PreviewView = ReturnType<typeof previewView>;

function previewView({ dataset: { namespace, name }, ...preview }: Preview) {
  return { ...preview, namespace, name, datasetUrn: datasetUrn(namespace, name) };
}

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
