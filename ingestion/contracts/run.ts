import { z } from 'zod';
import { checkpointSchema, cursorSchema } from './checkpoint.js';
import { idSchema } from './ids.js';

export const INGESTION_MODES = ['full', 'incremental'] as const;
export type IngestionMode = (typeof INGESTION_MODES)[number];

export const WRITE_MODES = ['append', 'merge', 'overwrite'] as const;
export type WriteMode = (typeof WRITE_MODES)[number];

export const NULL_CURSOR_POLICIES = ['fail', 'include', 'exclude'] as const;

/** What reads a relational source: one connection into Arrow, or several partitions by Spark. */
export const READ_ENGINES = ['auto', 'arrow', 'spark'] as const;

/** What happens when the source's columns differ from those that the last commit had. */
export const SCHEMA_CHANGE_POLICIES = ['freeze', 'evolve', 'discard'] as const;

/** What happens to a single row that cannot be moved exactly. */
export const BAD_ROW_POLICIES = ['fail', 'quarantine'] as const;

/** What the rows of a metadata file are. */
export const METADATA_CONTENTS = ['entities', 'links', 'linkSets', 'deletions'] as const;

export const RUN_PHASES = ['export', 'import', 'cleanup'] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

/** How a unit's rows are read and cut; every field has a default, so `{}` is a policy. */
export const policySchema = z.strictObject({
  sliceRows: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(200_000)
    .describe('rows after which a slice ends at the next change of the cursor'),
  lagSeconds: z
    .number()
    .min(0)
    .default(0)
    .describe('how long before now the upper bound stays, for sources that commit late; time cursors only'),
  lookbackSeconds: z
    .number()
    .min(0)
    .default(0)
    .describe('how far below the watermark the query starts; never lowers the stored watermark; time cursors only'),
  nullCursor: z
    .enum(NULL_CURSOR_POLICIES)
    .default('fail')
    .describe('what happens to rows whose cursor is NULL; they are always counted'),
  tieBreakField: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('unique column that orders rows of one cursor value, for values that very many rows share'),
  engine: z
    .enum(READ_ENGINES)
    .default('auto')
    .describe('what reads a relational source; auto decides by the size of what is read'),
  schemaChange: z
    .enum(SCHEMA_CHANGE_POLICIES)
    .default('freeze')
    .describe(
      'columns of the source that changed since the last commit: freeze stops the run, evolve changes the target, discard leaves new columns out',
    ),
  badRows: z
    .enum(BAD_ROW_POLICIES)
    .default('fail')
    .describe('a row that cannot be moved exactly stops the run, or goes to the table <target>_quarantine'),
  deleteField: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('column that marks a row as deleted in the source (true, or not NULL): merge removes it from the target'),
  maxBadRows: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1_000)
    .describe('rows of one run that may go to quarantine before the run stops all the same'),
});
export type IngestionPolicy = z.infer<typeof policySchema>;

/** An endpoint as Python needs it to work alone: its template and its config with secrets still sealed. */
export const endpointRefSchema = z.strictObject({
  endpointId: idSchema,
  templateId: idSchema,
  config: z.record(z.string(), z.unknown()).describe('as stored: secret fields are { $sealed } objects'),
});
export type EndpointRef = z.infer<typeof endpointRefSchema>;

/** What is read, and where it goes, of one unit and one of its sinks. */
export const unitSpecSchema = z.strictObject({
  object: z.record(z.string(), z.unknown()).describe('what to read, by the source template, e.g. { schema, table }'),
  mode: z.enum(INGESTION_MODES),
  cursorField: z.string().min(1).nullable().describe('column of the watermark; null for full units'),
  primaryKey: z.array(z.string().min(1)).describe('columns that identify a row; empty when there is no key'),
  target: z.string().min(1).describe('name of the table or data set in the sink'),
  writeMode: z.enum(WRITE_MODES),
});
export type UnitSpec = z.infer<typeof unitSpecSchema>;

/** The one `execution` object beside the fixed fields. No secret in clear, no rows. */
export const executionSchema = z.strictObject({
  runId: z.uuid(),
  fence: z
    .int()
    .min(1)
    .describe('grows with every run of the key; with the attempt number it tells a zombie from the living'),
  extractionId: z
    .uuid()
    .nullable()
    .default(null)
    .describe('shared by the runs of one unit that write the same extraction to several sinks; the run id when null'),
  source: endpointRefSchema,
  sink: endpointRefSchema,
  unit: unitSpecSchema,
});
export type Execution = z.infer<typeof executionSchema>;

/** Argument of the Python activity `runIngestionUnit`. */
export const runIngestionUnitInputSchema = z.strictObject({
  endpointId: idSchema,
  unitId: idSchema,
  sinkId: idSchema.optional(),
  checkpoint: checkpointSchema,
  stagingProviderId: idSchema.optional().describe('defaults to local_directory'),
  policy: policySchema.partial().optional(),
  execution: executionSchema,
});
export type RunIngestionUnitInput = z.infer<typeof runIngestionUnitInputSchema>;

/** A data set that a run read or wrote, named the OpenLineage way. */
export const datasetRefSchema = z.strictObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  version: z
    .string()
    .min(1)
    .nullable()
    .describe('state of the data set that was read or made, e.g. an Iceberg snapshot id'),
  fields: z.array(z.strictObject({ name: z.string(), type: z.string() })),
});
export type DatasetRef = z.infer<typeof datasetRefSchema>;

/** Rows of one run that went to quarantine for one reason. */
export const quarantineEntrySchema = z.strictObject({
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .describe('name of the fault, as failures have it'),
  field: z.string().nullable().describe('column at fault'),
  reason: z.string().describe('the rule that the row breaks, and never its values'),
  rows: z.int().min(1),
});
export type QuarantineEntry = z.infer<typeof quarantineEntrySchema>;

export const runStatsSchema = z.strictObject({
  rowsRead: z.int().min(0).describe('rows that the source delivered'),
  rowsWritten: z.int().min(0).describe('rows that the sink committed for this run, new or changed'),
  rowsSkippedAtWatermark: z.int().min(0).describe('rows at the watermark that an earlier run had committed'),
  nullCursorRows: z.int().min(0),
  rowsQuarantined: z.int().min(0).default(0).describe('rows that were read and went to <target>_quarantine'),
  quarantine: z.array(quarantineEntrySchema).max(20).default([]).describe('the most frequent reasons'),
  bytesStaged: z.int().min(0),
  slices: z.int().min(0),
  slicesReused: z.int().min(0).describe('slices that an earlier attempt had staged'),
  engine: z.string().describe('what read the source, e.g. adbc'),
  durationsMs: z.strictObject({ export: z.int().min(0), import: z.int().min(0), cleanup: z.int().min(0) }),
  provenance: z.strictObject({ inputs: z.array(datasetRefSchema), outputs: z.array(datasetRefSchema) }),
});
export type RunStats = z.infer<typeof runStatsSchema>;

/** A file of normalized metadata that a run has left for the graph: an Arrow stream, as the bulk route takes it. */
export const runMetadataFileSchema = z.strictObject({
  path: z
    .string()
    .max(400)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/)
    .describe('relative to METADATA_ROOT, parts joined by /'),
  contents: z
    .enum(METADATA_CONTENTS)
    .describe('what a row is; a link set (from, to: a list) replaces the links of the kind, a deletion has a urn'),
  kind: z.string().min(1).describe('kind of the entities or of the links, e.g. Dataset or TAGGED'),
  rows: z.int().min(0),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('of the whole file'),
});
export type RunMetadataFile = z.infer<typeof runMetadataFileSchema>;

/** Result of `runIngestionUnit`. `new_checkpoint` null means that the old checkpoint stays (rule R6). */
export const runIngestionUnitResultSchema = z.strictObject({
  new_checkpoint: z.strictObject({ cursor: cursorSchema }).nullable(),
  stats: runStatsSchema,
  metadataFiles: z.array(runMetadataFileSchema).max(1_000).optional(),
});
export type RunIngestionUnitResult = z.infer<typeof runIngestionUnitResultSchema>;

/** `type` of the Temporal application failures that Python raises, and whose turn it is to act. */
export const INGESTION_FAILURE_CATEGORIES = ['config', 'source', 'sink', 'transient', 'data', 'internal'] as const;

/** First detail of a Temporal application failure; `type` of the failure is `code`. */
export const ingestionFailureSchema = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  category: z.enum(INGESTION_FAILURE_CATEGORIES),
  field: z.string().nullable().describe('config field or column at fault, e.g. "source.config.password"'),
  message: z.string().describe('safe to show: secrets are removed where it is made'),
  retryable: z.boolean(),
});
export type IngestionFailure = z.infer<typeof ingestionFailureSchema>;
