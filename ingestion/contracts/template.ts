import { z } from 'zod';
import { idSchema } from './ids.js';

export const ENDPOINT_ROLES = ['source', 'staging', 'sink'] as const;
export type EndpointRole = (typeof ENDPOINT_ROLES)[number];

export const CAPABILITIES = ['metadata.collect', 'metadata.preview', 'ingest.full', 'ingest.incremental'] as const;

/**
 * An endpoint template (descriptor). Templates are defined only in Python and read through
 * `listMetadataEndpointTemplates`; TypeScript validates configs by their JSON Schemas.
 */
export const endpointTemplateSchema = z.strictObject({
  id: idSchema,
  title: z.string().min(1),
  vendor: idSchema.describe('part of the checkpoint key'),
  description: z.string(),
  role: z.enum(ENDPOINT_ROLES),
  version: z.string().min(1),
  capabilities: z.array(z.enum(CAPABILITIES)),
  checks: z
    .array(z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9_.-]*$/), title: z.string().min(1) }))
    .describe('steps of the connection test, in order'),
  writeModes: z.array(z.enum(['append', 'merge', 'overwrite'])).describe('empty for sources'),
  deliveryGuarantee: z.string().nullable().describe('what a sink promises, in words for users; null for sources'),
  configSchema: z
    .record(z.string(), z.unknown())
    .describe('JSON Schema 2020-12 of the config; secret fields carry writeOnly: true'),
  objectSchema: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('JSON Schema of what a unit of this source names; null for sinks'),
});
export type EndpointTemplate = z.infer<typeof endpointTemplateSchema>;

/** Result of the Python activity `listMetadataEndpointTemplates` (no argument). */
export const templateListSchema = z.strictObject({
  descriptorHash: z.string().regex(/^[0-9a-f]{64}$/),
  templates: z.array(endpointTemplateSchema),
});
export type TemplateList = z.infer<typeof templateListSchema>;
