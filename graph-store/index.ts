/**
 * The one door to Neo4j: writes with their change log, and the lists that the API shows.
 *
 * @example
 * const driver = openDriver({ uri, user, password });
 * await migrateGraph(driver);
 * const store = new Neo4jGraphStore(driver);
 * await store.upsertEntity({ kind: 'Dataset', urn: datasetUrn('s3://lake', 'orders'), name: 'orders' }, { actor: 'me' });
 */
export type {
  Change,
  ChangeItem,
  ChangeLog,
  EdgeUpsert,
  EntityResult,
  EntityUpsert,
  GraphBatch,
  GraphStore,
  WriteContext,
  WriteReceipt,
} from './graph-store.js';
export { all, IngestionCatalog, type KeysetList } from './ingestion-catalog.js';
export type {
  EndpointRecord,
  ErrorRecord,
  RunRecord,
  StatusRecord,
  TemplateRecord,
  UnitRecord,
  UnitSinkRecord,
} from './ingestion-records.js';
export type { Page, PageRequest } from './keyset-page.js';
export { migrateGraph } from './migration-runner.js';
export { Neo4jChangeLog } from './neo4j-change-log.js';
export { Neo4jGraphStore } from './neo4j-graph-store.js';
export { type Neo4jConnection, openDriver } from './neo4j-session.js';
export type { PropertyPatch, PropertyValue } from './property-values.js';
