/**
 * What the graph means: urns, labels, edge kinds, migrations, Cypher statements and the SDL. Pure: no driver, no I/O.
 *
 * @example
 * import { datasetUrn } from '#graph-schema';
 * datasetUrn('postgres://db:5432', 'shop.public.orders'); // nucleus:dataset:postgres%3A%2F%2Fdb%3A5432:shop.public.orders
 */
export * from './browser-link.js';
export * from './browser-pack/index.js';
export * from './cypher/change-log-statements.js';
export * from './cypher/knowledge-statements.js';
export * from './cypher/lineage-record-statements.js';
export * from './cypher/lineage-retention-statements.js';
export * from './cypher/lineage-statements.js';
export * from './cypher/masking-statements.js';
export * from './cypher/read-statements.js';
export * from './cypher/run-lineage-statements.js';
export * from './cypher/write-statements.js';
export * from './entity-kinds.js';
export * from './ingestion-urns.js';
export * from './kinds/built-in-kinds.js';
export * from './kinds/kind-catalog.js';
export * from './kinds/kind-definition.js';
export * from './migrations.js';
export * from './sdl-files.js';
export * from './urn.js';
