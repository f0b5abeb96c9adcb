/**
 * The one door to Neo4j: writes with their change log, and the lists that the API shows.
 *
 * @example
 * const driver = openDriver({ uri, user, password });
 * await migrateGraph(driver);
 * const store = new Neo4jGraphStore(driver);
 * await store.upsertEntity({ kind: 'Dataset', urn: datasetUrn('s3://lake', 'orders'), name: 'orders' }, { actor: 'me' });
 */
export { BatchRefused, type RefusedItem } from './batch-refused.js';
export { edgeKey } from './edge-key.js';
export { entityHistory } from './entity-history.js';
export {
  type Change,
  type ChangeItem,
  type ChangeLog,
  type Deletion,
  type EdgeDeletion,
  type EdgeResult,
  type EdgeUpsert,
  type EntityUpsert,
  type GraphBatch,
  type GraphStore,
  type HistoryEntry,
  type ItemResult,
  type Refusal,
  WRITE_LIMITS,
  type WriteContext,
  type WriteOptions,
  type WriteOutcome,
  type WriteReceipt,
} from './graph-store.js';
export { all, IngestionCatalog, type KeysetList } from './ingestion-catalog.js';
export type {
  CollectionPhase,
  CollectionRecord,
  EndpointRecord,
  EndpointTestRecord,
  ErrorRecord,
  RunRecord,
  StatusRecord,
  TemplateRecord,
  UnitRecord,
  UnitSinkRecord,
} from './ingestion-records.js';
export { checkPageSize, type Page, type PageRequest } from './keyset-page.js';
export { type Knowledge, openKnowledge } from './knowledge.js';
export type {
  EntityInput,
  EntityOutcome,
  EntityRecord,
  EntityReference,
  KindRegistry,
  KnowledgeReader,
  KnowledgeReceipt,
  KnowledgeWrite,
  KnowledgeWriteOptions,
  KnowledgeWriter,
  LinkInput,
  LinkOutcome,
  LinkRecord,
  LinkReference,
  SearchHit,
} from './knowledge-types.js';
export { Neo4jLineageReader } from './lineage-reader.js';
export { stepsAlong } from './lineage-steps.js';
export type {
  InboxCursor,
  LineageHoldings,
  LineageRecord,
  LineageRecords,
  LineageStore,
  LineageWrite,
  OldVersion,
  SeriesPlace,
  Stretch,
  StretchRecords,
} from './lineage-store.js';
export {
  LINEAGE_DIRECTIONS,
  type LineageAnswer,
  type LineageDiff,
  type LineageDirection,
  type LineageEdge,
  type LineageImpact,
  type LineageManualEdit,
  type LineageNode,
  type LineagePart,
  type LineagePath,
  type LineageQuery,
  type LineageReader,
  type LineageTruncation,
  type LineageView,
} from './lineage-types.js';
export { warmUpLineage } from './lineage-warm-up.js';
export { migrateGraph } from './migration-runner.js';
export { Neo4jChangeLog } from './neo4j-change-log.js';
export { Neo4jGraphStore } from './neo4j-graph-store.js';
export { Neo4jLineageStore } from './neo4j-lineage-store.js';
export { asReadError, type GraphDriver, type Neo4jConnection, openDriver } from './neo4j-session.js';
export type { PropertyPatch, PropertyValue } from './property-values.js';
export type { RunLineageNode, RunLineageReader } from './run-lineage-types.js';
export { visibleItem } from './visible-properties.js';
