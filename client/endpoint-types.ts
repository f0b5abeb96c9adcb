/** What the published SDL says of asking endpoints, as TypeScript; a test holds the two together field by field. */

import type { IngestionError, JsonObject, RunState, UserError } from './schema-types.js';

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

export const COLLECTION_PHASES = ['COLLECTING', 'APPLYING', 'REMOVING'] as const;
export type CollectionPhase = (typeof COLLECTION_PHASES)[number];

export interface CollectMetadataInput {
  readonly endpointId: string;
  readonly scope?: readonly string[] | null;
  readonly allowDeletions?: boolean | null;
}

export interface CollectMetadataPayload {
  readonly collectionId: string | null;
  readonly alreadyRunning: boolean;
  readonly userErrors: readonly UserError[];
}

export interface MetadataCollection {
  readonly id: string;
  readonly state: RunState;
  readonly phase: CollectionPhase | null;
  readonly counts: JsonObject | null;
  readonly files: number | null;
  readonly filesApplied: number | null;
  readonly rows: number | null;
  readonly refused: number | null;
  readonly problems: readonly CollectionProblem[];
  readonly removals: readonly CollectionRemoval[];
  readonly error: IngestionError | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export interface CollectionProblem {
  readonly path: string;
  readonly row: number | null;
  readonly message: string;
}

export interface CollectionRemoval {
  readonly namespace: string;
  readonly namePrefix: string;
  readonly datasets: CollectionVanished;
  readonly fields: CollectionVanished;
  readonly heldBack: boolean;
}

export interface CollectionVanished {
  readonly held: number;
  readonly vanished: number;
  readonly removed: number;
}

export interface TestMetadataEndpointPayload {
  readonly test: EndpointTest | null;
  readonly userErrors: readonly UserError[];
}
