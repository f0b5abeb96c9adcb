import { z } from 'zod';
import { EVENT_LIMITS } from './event-limits.js';

/** Clients print what they do not know as null. */
const text = z.string().nullish();
const count = z.number().nullish();
/** Becomes a part of a urn. */
const name = z
  .string()
  .min(1)
  .max(EVENT_LIMITS.nameLength)
  .refine((value) => !/\p{Cs}/u.test(value), 'holds half of a surrogate pair, which is not a character');
const optionalName = name.nullish();
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const owners = z.looseObject({ owners: list(z.looseObject({ name: z.string(), type: text })) });
const tags = z.looseObject({
  tags: list(z.looseObject({ key: z.string(), value: z.string(), source: text, field: text })),
});
const documentation = z.looseObject({ description: z.string(), contentType: text });

const jobName = z.looseObject({ namespace: name, name });
const runAndJob = z.looseObject({ run: z.looseObject({ runId: name }), job: jobName });
const parent = runAndJob.extend({ root: runAndJob.nullish() });

const schemaField = z.looseObject({
  name,
  type: text,
  description: text,
  ordinal_position: z.number().int().nullish(),
  get fields() {
    return z.array(schemaField).nullish();
  },
});

const transformation = z.looseObject({
  type: z.string(),
  subtype: text,
  description: text,
  masking: z.boolean().nullish(),
});
const inputField = z.looseObject({
  namespace: name,
  name,
  field: name,
  transformations: list(transformation),
});
const columnLineage = z.looseObject({
  fields: z.record(
    name,
    z.looseObject({ inputFields: list(inputField), transformationType: text, transformationDescription: text }),
  ),
  dataset: list(inputField),
});

const lineageSource = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('DATASET'),
    namespace: name,
    name,
    field: optionalName,
    transformations: list(transformation),
  }),
  z.looseObject({
    type: z.literal('JOB'),
    namespace: optionalName,
    name: optionalName,
    runId: optionalName,
    transformations: list(transformation),
  }),
]);
const lineageTargets = {
  inputs: list(lineageSource),
  fields: z
    .record(name, z.looseObject({ inputs: list(lineageSource) }))
    .nullish()
    .transform((fields) => fields ?? {}),
};
const lineageOfDataset = z.looseObject(lineageTargets);
const lineageOfJob = z.looseObject({
  entries: z.array(
    z.discriminatedUnion('type', [
      z.looseObject({
        type: z.literal('DATASET'),
        namespace: name,
        name,
        ...lineageTargets,
      }),
      z.looseObject({
        type: z.literal('JOB'),
        namespace: optionalName,
        name: optionalName,
        runId: optionalName,
        inputs: list(lineageSource),
      }),
    ]),
  ),
});

const dataQualityMetrics = z.looseObject({
  rowCount: count,
  bytes: count,
  fileCount: count,
  columnMetrics: z
    .record(z.string(), z.looseObject({ nullCount: count, distinctCount: count }))
    .nullish()
    .transform((columns) => columns ?? {}),
});
const dataQualityAssertions = z.looseObject({
  assertions: z.array(z.looseObject({ assertion: z.string(), success: z.boolean(), column: text })),
});
const statistics = z.looseObject({ rowCount: count, size: count, fileCount: count });

/**
 * The facets whose meaning Nucleus knows, by where they stand, in the words of the facet schemas of OpenLineage (spec/facets).
 * All others are kept as they came, and so are members that no schema here names.
 */
export const FACET_SCHEMAS = {
  run: {
    parent,
    tags,
    nominalTime: z.looseObject({ nominalStartTime: z.string(), nominalEndTime: text }),
    errorMessage: z.looseObject({ message: z.string(), programmingLanguage: text, stackTrace: text }),
    processing_engine: z.looseObject({ version: z.string(), name: text, openlineageAdapterVersion: text }),
    externalQuery: z.looseObject({ externalQueryId: z.string(), source: text }),
  },
  job: {
    ownership: owners,
    tags,
    documentation,
    lineage: lineageOfJob,
    sql: z.looseObject({ query: z.string(), dialect: text }),
    sourceCode: z.looseObject({ language: z.string(), sourceCode: z.string() }),
    sourceCodeLocation: z.looseObject({ type: z.string(), url: z.string(), path: text, version: text, branch: text }),
    jobType: z.looseObject({ processingType: z.string(), integration: z.string(), jobType: text }),
  },
  dataset: {
    ownership: owners,
    tags,
    documentation,
    columnLineage,
    lineage: lineageOfDataset,
    dataQualityMetrics,
    dataQualityAssertions,
    schema: z.looseObject({ fields: list(schemaField) }),
    symlinks: z.looseObject({
      identifiers: list(z.looseObject({ namespace: name, name, type: text })),
    }),
    version: z.looseObject({ datasetVersion: name }),
    dataSource: z.looseObject({ name: text, uri: text }),
    datasetType: z.looseObject({ datasetType: z.string(), subType: text }),
    storage: z.looseObject({ storageLayer: z.string(), fileFormat: text }),
    lifecycleStateChange: z.looseObject({
      lifecycleStateChange: z.enum(['ALTER', 'CREATE', 'DROP', 'OVERWRITE', 'RENAME', 'TRUNCATE']),
      previousIdentifier: z.looseObject({ namespace: z.string(), name: z.string() }).nullish(),
    }),
  },
  input: { dataQualityMetrics, dataQualityAssertions, inputStatistics: statistics },
  output: { outputStatistics: statistics },
} as const;

/** Where a facet stands: the last two are what one run says of a data set that it reads or writes. */
export type FacetPlace = keyof typeof FACET_SCHEMAS;

type Schemas<Place extends FacetPlace> = (typeof FACET_SCHEMAS)[Place];

/** The facets that were understood. */
export type KnownFacets<Place extends FacetPlace> = {
  readonly [Name in keyof Schemas<Place>]?: Schemas<Place>[Name] extends z.ZodType<infer Value> ? Value : never;
};

export type ColumnLineage = z.infer<typeof columnLineage>;
export type LineageOfDataset = z.infer<typeof lineageOfDataset>;
export type LineageOfJob = z.infer<typeof lineageOfJob>;
export type LineageSource = z.infer<typeof lineageSource>;
export type SchemaField = z.infer<typeof schemaField>;
export type Transformations = readonly z.infer<typeof transformation>[];
