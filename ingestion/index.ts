/**
 * Ingestion as the server uses it: starting, stopping and reconciling runs. Workflows and activities run in the worker.
 *
 * @example
 * const ingestion = new IngestionClient(temporalClient);
 * await ingestion.start({ runId: randomUUID(), endpointId: 'crm', unitId: 'orders', sinkId: 'lake' });
 */
export type { DeadLetter } from '#kv';
export { EndpointOperations } from './endpoint-operations.js';
export { IngestionClient } from './ingestion-client.js';
export type { IngestionDriver, IngestionSink, LegacyBatch } from './legacy/ingestion-driver.js';
export { runLegacyIngestion } from './legacy/run-legacy-ingestion.js';
export {
  LineageEventWriter,
  LineageRetention,
  type RetentionCounts,
  type RetentionReport,
  type RetentionRule,
} from './lineage-projection/index.js';
export {
  arrowRows,
  discardPreview,
  type LoadDependencies,
  type LoadReport,
  loadRows,
  MAX_ROWS,
  type MetadataRows,
  ndjsonRows,
  openArrowStream,
  type RowSubject,
  takePreview,
} from './metadata/index.js';
export { type EditedEdge, readEventTime } from './openlineage/index.js';
export {
  type Arrival,
  type BatchIntake,
  type Drain,
  type DrainReport,
  type LineageWriter,
  type OpenLineage,
  openInboxDrain,
  openOpenLineage,
  type Refusal,
  retryPauseMs,
  type TakenEvents,
} from './openlineage-intake/index.js';
export { reconcileRuns } from './run-reconciler.js';
export { unitEdges } from './run-records.js';
