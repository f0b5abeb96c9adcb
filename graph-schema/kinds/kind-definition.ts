/** What a property may hold. JSON is any JSON value, kept as text; DATE_TIME is an instant; INTEGER is within ±(2^53 − 1). */
export const PROPERTY_TYPES = ['STRING', 'INTEGER', 'FLOAT', 'BOOLEAN', 'DATE_TIME', 'STRING_LIST', 'JSON'] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

export interface PropertyDefinition {
  readonly type: PropertyType;
  readonly description?: string;
  /** Must be there from the creation on; an entity that an edge named first may lack it until it arrives. */
  readonly required?: true;
  /** Kept in the graph, shown by no generic read, history or event: sealed configs and the like. */
  readonly hidden?: true;
}

/** An edge that entities of a kind may have towards entities of other kinds. */
export interface LinkDefinition {
  /** Relationship type, for instance `TAGGED`. */
  readonly kind: string;
  /** Names of the kinds that it may point to; `*` is any. */
  readonly to: readonly string[];
  readonly properties?: Readonly<Record<string, PropertyDefinition>>;
  readonly description?: string;
}

/**
 * Who writes entities of a kind: `PLATFORM` kinds are written by Nucleus alone, `CATALOG` kinds ship with it and are
 * written by users, `CUSTOM` kinds are defined by users and stored in the graph.
 */
export const KIND_ORIGINS = ['PLATFORM', 'CATALOG', 'CUSTOM'] as const;
export type KindOrigin = (typeof KIND_ORIGINS)[number];

/** What entities of one kind look like, and which urn, labels and links they have. */
export interface KindDefinition {
  /** Name and label, for instance `Dataset`. */
  readonly name: string;
  readonly origin: KindOrigin;
  readonly description: string;
  /** The `<kind>` of its urns. Two kinds share one only where one is the other, as an ingestion unit is a job. */
  readonly urnKind: string;
  /**
   * Names of the parts of its urn, in order. Each is also a property of the node, set from the urn and never changed; a
   * part called `name` is the caption.
   */
  readonly keyParts: readonly string[];
  readonly properties: Readonly<Record<string, PropertyDefinition>>;
  readonly links: readonly LinkDefinition[];
}

/** Names that users give: they become labels, relationship types and property names, so nothing else may pass. */
export const KIND_NAME_PATTERN = /^[A-Z][A-Za-z0-9]{0,62}$/;
export const LINK_KIND_PATTERN = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;
export const PROPERTY_NAME_PATTERN = /^[a-z][A-Za-z0-9_]{0,62}$/;

/** Properties that every node has and that the store alone writes; `name` is given as such, not as a property. */
export const RESERVED_PROPERTIES = [
  'urn',
  'name',
  'kind',
  'version',
  'createdAt',
  'updatedAt',
  'deletedAt',
  'placeholder',
  'lastChange',
] as const;
