/** What the published SDL says, as TypeScript; a test holds the two together field by field. Instants are ISO 8601 text. */

export type JsonObject = Readonly<Record<string, unknown>>;

export const WRITE_OUTCOMES = ['CREATED', 'UPDATED', 'DELETED', 'REVIVED', 'PURGED', 'UNCHANGED', 'REFUSED'] as const;
export type WriteOutcome = (typeof WRITE_OUTCOMES)[number];

export const CHANGE_OPERATIONS = ['CREATED', 'UPDATED', 'DELETED', 'REVIVED', 'PURGED'] as const;
export type ChangeOperation = (typeof CHANGE_OPERATIONS)[number];

export const LINK_DIRECTIONS = ['OUT', 'IN', 'BOTH'] as const;
export type LinkDirection = (typeof LINK_DIRECTIONS)[number];

export const PROPERTY_TYPES = ['STRING', 'INTEGER', 'FLOAT', 'BOOLEAN', 'DATE_TIME', 'STRING_LIST', 'JSON'] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

export const KIND_ORIGINS = ['PLATFORM', 'CATALOG', 'CUSTOM'] as const;
export type KindOrigin = (typeof KIND_ORIGINS)[number];

export const RUN_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type RunState = (typeof RUN_STATES)[number];

export const GRAPH_EVENT_KINDS = ['SUBSCRIBED', 'CHANGES', 'HEARTBEAT'] as const;
export type GraphEventKind = (typeof GRAPH_EVENT_KINDS)[number];

export const INGESTION_RUN_EVENT_KINDS = ['SUBSCRIBED', 'STATE_CHANGED', 'PROGRESS', 'HEARTBEAT'] as const;
export type IngestionRunEventKind = (typeof INGESTION_RUN_EVENT_KINDS)[number];

/** Anything that has a urn. */
export interface Entity {
  readonly urn: string;
  readonly kind: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deletedAt: string | null;
  readonly placeholder: boolean;
  readonly properties: JsonObject;
  readonly browserUrl: string | null;
}

export interface Link {
  readonly kind: string;
  readonly direction: LinkDirection;
  readonly node: Entity;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly properties: JsonObject;
}

export interface EntityKind {
  readonly name: string;
  readonly origin: KindOrigin;
  readonly description: string;
  readonly urnKind: string;
  readonly keyParts: readonly string[];
  readonly properties: readonly KindProperty[];
  readonly links: readonly KindLink[];
}

export interface KindProperty {
  readonly name: string;
  readonly type: PropertyType;
  readonly required: boolean;
  readonly description: string | null;
}

export interface KindLink {
  readonly kind: string;
  readonly to: readonly string[];
  readonly properties: readonly KindProperty[];
  readonly description: string | null;
}

/** Why one item of a write was refused. */
export interface UserError {
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
  readonly elementIndex: number | null;
}

export interface EntityInput {
  readonly urn?: string | null | undefined;
  readonly kind?: string | null | undefined;
  readonly key?: JsonObject | null | undefined;
  readonly name?: string | null | undefined;
  readonly properties?: JsonObject | null | undefined;
  readonly ifVersion?: number | null | undefined;
}

export interface LinkInput {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly properties?: JsonObject | null | undefined;
  readonly ifVersion?: number | null | undefined;
}

export interface UpsertInput {
  readonly entities?: readonly EntityInput[] | null | undefined;
  readonly links?: readonly LinkInput[] | null | undefined;
  readonly atomic?: boolean | null | undefined;
  readonly allowPlaceholders?: boolean | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

export interface EntityReference {
  readonly urn: string;
  readonly ifVersion?: number | null | undefined;
}

export interface LinkReference {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly ifVersion?: number | null | undefined;
}

export interface DeleteInput {
  readonly entities?: readonly EntityReference[] | null | undefined;
  readonly links?: readonly LinkReference[] | null | undefined;
  readonly atomic?: boolean | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

export interface PurgeInput {
  readonly entities: readonly EntityReference[];
  readonly atomic?: boolean | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

export interface DefineEntityKindInput {
  readonly name: string;
  readonly description: string;
  readonly urnKind?: string | null | undefined;
  readonly keyParts?: readonly string[] | null | undefined;
  readonly properties?: readonly KindPropertyInput[] | null | undefined;
  readonly links?: readonly KindLinkInput[] | null | undefined;
}

export interface KindPropertyInput {
  readonly name: string;
  readonly type: PropertyType;
  readonly required?: boolean | null | undefined;
  readonly description?: string | null | undefined;
}

export interface KindLinkInput {
  readonly kind: string;
  readonly to: readonly string[];
  readonly properties?: readonly KindPropertyInput[] | null | undefined;
  readonly description?: string | null | undefined;
}

export interface EntityResult {
  readonly urn: string | null;
  readonly outcome: WriteOutcome;
  readonly version: number;
}

export interface LinkResult {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly outcome: WriteOutcome;
  readonly version: number;
}

/** Results stand in the order of the input. `commit` is null when nothing changed. */
export interface UpsertPayload {
  readonly entities: readonly EntityResult[];
  readonly links: readonly LinkResult[];
  readonly commit: string | null;
  readonly transactions: number;
  readonly replayed: boolean;
  readonly userErrors: readonly UserError[];
}

export interface DeletePayload {
  readonly entities: readonly EntityResult[];
  readonly links: readonly LinkResult[];
  readonly commit: string | null;
  readonly transactions: number;
  readonly replayed: boolean;
  readonly userErrors: readonly UserError[];
}

export interface PurgePayload {
  readonly entities: readonly EntityResult[];
  readonly commit: string | null;
  readonly transactions: number;
  readonly replayed: boolean;
  readonly userErrors: readonly UserError[];
}

export interface DefineEntityKindPayload {
  readonly kind: EntityKind | null;
  readonly commit: string | null;
  readonly userErrors: readonly UserError[];
}

/** One finding of a search, the best first. */
export interface SearchEdge {
  readonly node: Entity;
  readonly score: number;
  readonly highlights: readonly SearchHighlight[];
}

export interface SearchHighlight {
  readonly property: string;
  readonly text: string;
}

export interface EntityChange {
  readonly commit: string;
  readonly at: string;
  readonly actor: string;
  readonly runId: string | null;
  readonly item: GraphChangeItem;
}

export interface ChangeLogStatus {
  readonly head: string;
  readonly oldest: string;
}

export interface GraphChangeFilter {
  readonly kinds?: readonly string[] | null | undefined;
  readonly urns?: readonly string[] | null | undefined;
  readonly labels?: readonly string[] | null | undefined;
  readonly changedProperties?: readonly string[] | null | undefined;
  readonly actors?: readonly string[] | null | undefined;
  readonly operations?: readonly ChangeOperation[] | null | undefined;
}

export interface GraphChangeEvent {
  readonly kind: GraphEventKind;
  readonly cursor: string;
  readonly at: string;
  readonly changes: readonly GraphChange[];
}

/** What one transaction did, or one part of it when it was large. */
export interface GraphChange {
  readonly cursor: string;
  readonly at: string;
  readonly actor: string;
  readonly runId: string | null;
  readonly items: readonly GraphChangeItem[];
}

export interface GraphChangeItem {
  readonly operation: ChangeOperation;
  readonly urn: string;
  readonly kind: string;
  readonly to: string | null;
  readonly version: number;
  readonly before: JsonObject;
  readonly after: JsonObject;
}

export interface IngestionRunEventFilter {
  readonly endpointId?: string | null | undefined;
  readonly unitId?: string | null | undefined;
  readonly runId?: string | null | undefined;
}

export interface IngestionRunEvent {
  readonly kind: IngestionRunEventKind;
  readonly cursor: string;
  readonly at: string;
  readonly run: IngestionRun | null;
  readonly progress: IngestionProgress | null;
}

export interface IngestionRun {
  readonly id: string;
  readonly urn: string;
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string;
  readonly state: RunState;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly stats: JsonObject | null;
  readonly error: IngestionError | null;
  readonly browserUrl: string | null;
}

export interface IngestionError {
  readonly code: string;
  readonly category: string;
  readonly field: string | null;
  readonly message: string;
}

export interface IngestionProgress {
  readonly runId: string;
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string | null;
  readonly phase: string;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly rowsPerSecond: number;
}
