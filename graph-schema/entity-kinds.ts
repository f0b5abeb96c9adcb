/**
 * The kinds of node that users address, with their labels beside the base label `Entity`. Labels reach Cypher only from
 * here, never from a user's string. Where labels overlap the first is the most specific.
 */
export const ENTITY_LABELS = {
  MetadataEndpointTemplate: ['MetadataEndpointTemplate'],
  MetadataEndpoint: ['MetadataEndpoint'],
  IngestionUnit: ['IngestionUnit', 'Job'],
  IngestionUnitState: ['IngestionUnitState'],
  IngestionRun: ['IngestionRun', 'Run'],
  Checkpoint: ['Checkpoint'],
  Dataset: ['Dataset'],
  DatasetVersion: ['DatasetVersion'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type EntityKind = keyof typeof ENTITY_LABELS;

/** Relationship types; arrows point the way the data flows. */
export const EDGE_KINDS = [
  'OF_TEMPLATE',
  'HAS_UNIT',
  'WRITES_TO',
  'HAS_STATE',
  'HAS_RUN',
  'ADVANCED',
  'FOLLOWS',
  'FEEDS',
  'PRODUCES',
  'READ',
  'WROTE',
  'HAS_VERSION',
] as const;

export type EdgeKind = (typeof EDGE_KINDS)[number];

export const UNIT_STATES = ['IDLE', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PAUSED'] as const;
export type UnitState = (typeof UNIT_STATES)[number];

export const RUN_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type RunState = (typeof RUN_STATES)[number];
