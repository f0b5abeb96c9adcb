import { z } from 'zod';
import { datasetRefSchema, endpointRefSchema, runMetadataFileSchema } from './run.js';
import { ENDPOINT_ROLES } from './template.js';

export const CHECK_STATUSES = ['passed', 'failed', 'skipped'] as const;

/** Argument of the Python activity `testMetadataEndpoint`. */
export const testEndpointInputSchema = z.strictObject({
  role: z.enum(ENDPOINT_ROLES),
  endpoint: endpointRefSchema,
});
export type TestEndpointInput = z.infer<typeof testEndpointInputSchema>;

/** One step of a connection test. Steps after a failed one that they depend on are skipped. */
export const checkOutcomeSchema = z.strictObject({
  name: z.string().describe('as the template names it, e.g. authenticate'),
  title: z.string(),
  status: z.enum(CHECK_STATUSES),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .nullable()
    .describe('name of the fault; null unless it failed'),
  message: z.string().nullable().describe('what was found; for a failure the reason and what to do. Never a secret'),
  field: z.string().nullable().describe('config field at fault'),
  durationMs: z.int().min(0),
});
export type CheckOutcome = z.infer<typeof checkOutcomeSchema>;

/** A connection test never fails as an activity for what it finds: its steps say it. */
export const testEndpointResultSchema = z.strictObject({
  passed: z.boolean(),
  checks: z.array(checkOutcomeSchema).min(1),
});
export type TestEndpointResult = z.infer<typeof testEndpointResultSchema>;

/** Argument of the Python activity `previewMetadata`. */
export const previewMetadataInputSchema = z.strictObject({
  requestId: z.uuid().describe('names the folder of the answer below METADATA_ROOT'),
  source: endpointRefSchema,
  object: z.record(z.string(), z.unknown()).describe('what to read, by the source template'),
  limit: z.int().min(1).max(1_000).default(50).describe('rows at most'),
  maskedColumns: z.array(z.string().min(1)).default([]).describe('columns whose values are not shown'),
});
export type PreviewMetadataInput = z.infer<typeof previewMetadataInputSchema>;

/** A preview's rows never pass Temporal, which would keep them: they are in a file that the reader removes. */
export const previewMetadataResultSchema = z.strictObject({
  path: z
    .string()
    .max(400)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/)
    .describe('a JSON file (previewSchema) relative to METADATA_ROOT'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('of the whole file'),
});
export type PreviewMetadataResult = z.infer<typeof previewMetadataResultSchema>;

/** Content of a preview's file. */
export const previewSchema = z.strictObject({
  dataset: datasetRefSchema,
  columns: z.array(z.strictObject({ name: z.string(), type: z.string(), masked: z.boolean() })),
  rows: z
    .array(z.array(z.string().nullable()))
    .describe('values as text in the order of the columns; null is NULL; a masked value is "***"'),
  truncated: z.boolean().describe('whether the source has more rows, or a value was cut'),
});
export type Preview = z.infer<typeof previewSchema>;

/** Argument of the Python activity `collectMetadata`. */
export const collectMetadataInputSchema = z.strictObject({
  requestId: z.uuid().describe('names the folder of the answer below METADATA_ROOT'),
  source: endpointRefSchema,
  scope: z
    .array(z.string().min(1))
    .max(1_000)
    .default([])
    .describe('parts of the source that are looked at, e.g. schemas; empty: all that the login may see'),
});
export type CollectMetadataInput = z.infer<typeof collectMetadataInputSchema>;

/** What a source has: as files of entities and links, and the scopes that were looked through to their end. */
export const collectMetadataResultSchema = z.strictObject({
  files: z.array(runMetadataFileSchema).max(1_000),
  completeScopes: z
    .array(z.strictObject({ namespace: z.string().min(1), namePrefix: z.string() }))
    .describe('data sets under these names that the files do not hold are gone from the source'),
  counts: z.record(z.string(), z.int().min(0)).describe('what was found, by sort, e.g. { schemas, tables, columns }'),
});
export type CollectMetadataResult = z.infer<typeof collectMetadataResultSchema>;
