import { KIND_NAME_PATTERN, LINK_KIND_PATTERN } from './kinds/kind-definition.js';

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
  EndpointTest: ['EndpointTest'],
  MetadataCollection: ['MetadataCollection'],
  Dataset: ['Dataset'],
  DatasetVersion: ['DatasetVersion'],
  Field: ['Field'],
  Job: ['Job'],
  Run: ['Run'],
  Tag: ['Tag'],
  Owner: ['Owner'],
  GlossaryTerm: ['GlossaryTerm'],
  Domain: ['Domain'],
  Person: ['Person'],
  Project: ['Project'],
  Issue: ['Issue'],
  Space: ['Space'],
  Page: ['Page'],
  File: ['File'],
  KindDefinition: ['KindDefinition'],
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
  'HAS_TEST',
  'HAS_COLLECTION',
  'COLLECTED',
  'FEEDS',
  'PRODUCES',
  'READ',
  'WROTE',
  'HAS_VERSION',
  'HAS_FIELD',
  'DERIVES',
  'PART_OF',
  'TAGGED',
  'OWNED_BY',
  'HAS_TERM',
  'IN_DOMAIN',
  'BROADER',
  'IN_PROJECT',
  'IN_SPACE',
  'CHILD_OF',
  'RELATES_TO',
  'ASSIGNED_TO',
  'AUTHORED_BY',
] as const;

export type EdgeKind = (typeof EDGE_KINDS)[number];

declare const CHECKED: unique symbol;

/** Name of a kind or link that users have defined. Only `definedKind` and `definedLink` make one, so no other text reaches Cypher. */
export type DefinedName<Of extends 'kind' | 'link'> = string & { readonly [CHECKED]: Of };

export type KindName = EntityKind | DefinedName<'kind'>;
export type LinkKindName = EdgeKind | DefinedName<'link'>;

/** @throws TypeError for a text that could be anything but a label */
export function definedKind(name: string): DefinedName<'kind'> {
  if (!KIND_NAME_PATTERN.test(name)) throw new TypeError(`${JSON.stringify(name)} cannot be a label`);
  return name as DefinedName<'kind'>;
}

/** @throws TypeError for a text that could be anything but a relationship type */
export function definedLink(name: string): DefinedName<'link'> {
  if (!LINK_KIND_PATTERN.test(name)) throw new TypeError(`${JSON.stringify(name)} cannot be a relationship type`);
  return name as DefinedName<'link'>;
}

/** Labels of a kind beside `Entity`. */
export function labelsOf(kind: KindName): readonly string[] {
  return Object.hasOwn(ENTITY_LABELS, kind) ? ENTITY_LABELS[kind as EntityKind] : [definedKind(kind)];
}

export const UNIT_STATES = ['IDLE', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PAUSED'] as const;
export type UnitState = (typeof UNIT_STATES)[number];

export const RUN_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type RunState = (typeof RUN_STATES)[number];
