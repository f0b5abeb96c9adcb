import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery } from 'graphql';
import { openOwnGraph } from '../graph.js';
import { type HttpApp, openHttpApp } from '../http-app.js';
import { openOwnNamespace } from '../temporal.js';
import type { KnownNames } from './hostile-values.js';

/** A server with a graph of its own, since what is written to it at will would be in the way of other tests. */
export interface FuzzedApp extends AsyncDisposable {
  readonly app: HttpApp;
  /** As clients see it. */
  readonly schema: GraphQLSchema;
  readonly known: KnownNames;
}

const SEED = /* GraphQL */ `
  mutation Seed($input: UpsertInput!) {
    registerMetadataEndpoint(
      input: { id: "fuzz-source", templateId: "jdbc_postgres", config: { host: "db", database: "shop", user: "reader", password: "none" } }
    ) { endpoint { urn } }
    sink: registerMetadataEndpoint(
      input: { id: "fuzz-lake", templateId: "parquet_files", config: { directory: "/lake" } }
    ) { endpoint { urn } }
    defineIngestionUnit(
      input: { endpointId: "fuzz-source", unitId: "orders", object: { table: "orders" }, mode: FULL, sinks: [{ endpointId: "fuzz-lake", writeMode: OVERWRITE }] }
    ) { unit { urn } }
    upsert(input: $input) { commit entities { urn } userErrors { code field message } }
  }
`;
const KINDS = '{ entityKinds { name keyParts properties { name } links { kind } } }';
/** So many that those which are purged on the way leave others. */
const ENTITIES = Array.from({ length: 60 }, (_, index) =>
  index < 40
    ? { kind: 'Dataset', key: { namespace: 'fuzz', name: `table ${index}` } }
    : { kind: 'Tag', key: { name: `tag ${index}` } },
);
const LINKS = Array.from({ length: 40 }, (_, index) => ({
  kind: 'TAGGED',
  from: `nucleus:dataset:fuzz:table%20${index}`,
  to: `nucleus:tag:tag%20${40 + (index % 20)}`,
}));

interface KnownKind {
  readonly name: string;
  readonly keyParts: readonly string[];
  readonly properties: readonly { readonly name: string }[];
  readonly links: readonly { readonly kind: string }[];
}

export async function openFuzzedApp(): Promise<FuzzedApp> {
  const [graph, temporal] = await Promise.all([openOwnGraph(), openOwnNamespace('fuzz')]);
  const app = await openHttpApp(graph, { temporal: temporal.client });
  const introspected = await app.graphql(getIntrospectionQuery());
  const { data, errors } = await app.graphql(SEED, { input: { entities: ENTITIES, links: LINKS } });
  const refused = errors ?? data.upsert.userErrors;
  if (refused.length > 0) throw new Error(`the seed of the fuzzer was refused: ${JSON.stringify(refused)}`);
  const urns: string[] = data.upsert.entities.map(({ urn }: { urn: string }) => urn);
  const { unit } = data.defineIngestionUnit;
  const kinds: readonly KnownKind[] = (await app.graphql(KINDS)).data.entityKinds;
  return {
    app,
    schema: buildClientSchema(introspected.data),
    known: {
      texts: [
        ...urns,
        ...[data.registerMetadataEndpoint.endpoint.urn, unit.urn, data.upsert.commit, 'fuzz-source', 'orders'],
        ...kinds.flatMap((kind) => [kind.name, ...kind.links.map((link) => link.kind)]),
      ],
      members: [...new Set(kinds.flatMap((kind) => [...kind.keyParts, ...kind.properties.map(({ name }) => name)]))],
    },
    [Symbol.asyncDispose]: async () => {
      for (const part of [app, temporal, graph]) await part[Symbol.asyncDispose]();
    },
  };
}
