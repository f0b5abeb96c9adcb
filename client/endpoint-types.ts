/** What the published SDL says of asking endpoints, as TypeScript; a test holds the two together field by field. */

import type { IngestionError, JsonObject, UserError } from './schema-types.js';

export const ENDPOINT_CHECK_STATUSES = ['PASSED', 'FAILED', 'SKIPPED'] as const;
export type EndpointCheckStatus = (typeof ENDPOINT_CHECK_STATUSES)[number];

export interface EndpointTest {
  readonly id: string;
  readonly endpointId: string | null;
  readonly endpointVersion: number | null;
  readonly passed: boolean;
  readonly checks: readonly EndpointCheck[];
  readonly error: IngestionError | null;
  readonly startedAt: string;
  readonly endedAt: string;
}

export interface EndpointCheck {
  readonly name: string;
  readonly title: string;
  readonly status: EndpointCheckStatus;
  readonly code: string | null;
  readonly message: string | null;
  readonly field: string | null;
  readonly durationMs: number;
}

export interface TestMetadataEndpointInput {
  readonly endpointId?: string | null;
  readonly templateId?: string | null;
  readonly config?: JsonObject | null;
}

export interface MetadataPreview {
  readonly datasetUrn: string;
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly PreviewColumn[];
  readonly rows: readonly PreviewRow[];
  readonly truncated: boolean;
}

/** In the order of the columns; null is NULL. */
export type PreviewRow = readonly (string | null)[];

export interface PreviewColumn {
  readonly name: string;
  readonly type: string;
  readonly masked: boolean;
}

export interface PreviewMetadataInput {
  readonly endpointId: string;
  readonly object?: JsonObject | null;
  readonly unitId?: string | null;
  readonly limit?: number | null;
  readonly maskedColumns?: readonly string[] | null;
}

export interface PreviewMetadataPayload {
  readonly preview: MetadataPreview | null;
  readonly error: IngestionError | null;
  readonly userErrors: readonly UserError[];
}

export interface TestMetadataEndpointPayload {
  readonly test: EndpointTest | null;
  readonly userErrors: readonly UserError[];
}
