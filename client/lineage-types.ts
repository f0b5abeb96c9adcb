/** What the published SDL says of lineage, as TypeScript; a test holds the two together field by field. */

import type { JsonObject, UserError } from './schema-types.js';

export const LINEAGE_DIRECTIONS = ['UPSTREAM', 'DOWNSTREAM', 'BOTH'] as const;
export type LineageDirection = (typeof LINEAGE_DIRECTIONS)[number];

export const LINEAGE_LEVELS = ['DATASET', 'JOB', 'FIELD'] as const;
export type LineageLevel = (typeof LINEAGE_LEVELS)[number];

export const LINEAGE_VIEWS = ['CURRENT', 'AT', 'EVER'] as const;
export type LineageView = (typeof LINEAGE_VIEWS)[number];

export const LINEAGE_EDGE_KINDS = ['FEEDS', 'PRODUCES', 'DERIVES', 'PASSES'] as const;
export type LineageEdgeKind = (typeof LINEAGE_EDGE_KINDS)[number];

export const RUN_LINEAGE_EDGE_KINDS = ['READ', 'WROTE'] as const;
export type RunLineageEdgeKind = (typeof RUN_LINEAGE_EDGE_KINDS)[number];

export const LINEAGE_EDIT_OPERATIONS = ['ASSERT', 'WITHDRAW'] as const;
export type LineageEditOperation = (typeof LINEAGE_EDIT_OPERATIONS)[number];

export const LINEAGE_TRUNCATION_REASONS = ['NODES', 'EDGES', 'HUB', 'DEADLINE'] as const;
export type LineageTruncationReason = (typeof LINEAGE_TRUNCATION_REASONS)[number];

/** An event of OpenLineage that was acknowledged and could not be applied. */
export interface LineageDeadLetter {
  readonly position: number;
  readonly receivedAt: string;
  readonly parkedAt: string;
  readonly reason: LineageDeadLetterReason;
  readonly bytes: number;
  readonly payload: string | null;
}

export interface LineageDeadLetterReason {
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

export interface ReplayLineageEventPayload {
  readonly position: number | null;
  readonly userErrors: readonly UserError[];
}

export interface DiscardLineageEventPayload {
  readonly discarded: boolean;
  readonly userErrors: readonly UserError[];
}

/** A part of a walk over lineage. */
export interface Lineage {
  readonly urn: string;
  readonly browserUrl: string | null;
  /** Instants of lineage have nine digits of fraction. */
  readonly at: string | null;
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  readonly truncated: LineageTruncation | null;
}

export interface LineageNode {
  readonly urn: string;
  readonly kind: string;
  readonly labels: readonly string[];
  readonly name: string;
  readonly depth: number;
  readonly placeholder: boolean;
  readonly deletedAt: string | null;
  readonly browserUrl: string | null;
}

export interface LineageEdge {
  readonly kind: LineageEdgeKind;
  readonly from: string;
  readonly to: string;
  readonly via: string | null;
  readonly current: boolean;
  readonly intervals: readonly LineageInterval[];
  readonly firstRun: string | null;
  readonly lastRun: string | null;
  readonly manual: LineageManualEdit | null;
}

export interface LineageManualEdit {
  readonly operation: LineageEditOperation;
  readonly actor: string;
  readonly at: string;
  readonly note: string | null;
}

export interface LineageInterval {
  readonly from: string;
  readonly to: string | null;
  readonly firstRun: string | null;
  readonly lastRun: string | null;
  readonly firstActor: string | null;
  readonly lastActor: string | null;
}

export interface LineageTruncation {
  readonly reason: LineageTruncationReason;
  readonly hub: LineageHub | null;
  readonly next: string;
}

export interface LineageHub {
  readonly urn: string;
  readonly neighbours: number;
}

/** A part of a walk over runs and the versions that they read and wrote. */
export interface RunLineage {
  readonly urn: string;
  readonly browserUrl: string | null;
  readonly nodes: readonly RunLineageNode[];
  readonly edges: readonly RunLineageEdge[];
  readonly truncated: LineageTruncation | null;
}

export interface RunLineageNode {
  readonly urn: string;
  readonly kind: string;
  readonly name: string;
  readonly depth: number;
  readonly placeholder: boolean;
  readonly run: RunOfLineage | null;
  readonly version: VersionOfLineage | null;
  readonly browserUrl: string | null;
}

export interface RunOfLineage {
  readonly job: string | null;
  readonly state: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly parent: string | null;
  readonly root: string | null;
}

export interface VersionOfLineage {
  readonly dataset: string;
  readonly datasetVersion: string;
  readonly writtenAt: string | null;
}

export interface RunLineageEdge {
  readonly kind: RunLineageEdgeKind;
  readonly from: string;
  readonly to: string;
  readonly facets: JsonObject | null;
}

export interface LineageFilter {
  readonly kinds?: readonly string[] | null;
  readonly namespaces?: readonly string[] | null;
}

export interface ApplyLineageRetentionInput {
  readonly olderThan?: string | null;
  readonly keepRunsPerJob?: number | null;
  readonly namespace?: string | null;
  readonly dryRun: boolean;
}

export interface ApplyLineageRetentionPayload {
  readonly olderThan: string | null;
  readonly keepRunsPerJob: number | null;
  readonly runs: number;
  readonly versions: number;
  readonly isComplete: boolean;
  readonly commit: string | null;
  readonly userErrors: readonly UserError[];
}
