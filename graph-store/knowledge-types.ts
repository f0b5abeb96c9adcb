import type { KindCatalog, KindDefinition } from '#graph-schema';
import type { ChangeItem, Refusal, WriteContext, WriteOutcome } from './graph-store.js';
import type { KeysetList } from './ingestion-catalog.js';

/** An entity as a user sends it; nothing about it is trusted. Either `urn`, or `kind` with `key`. */
export interface EntityInput {
  readonly urn?: string | null | undefined;
  readonly kind?: string | null | undefined;
  /** Parts of the urn by their name. */
  readonly key?: Readonly<Record<string, unknown>> | null | undefined;
  readonly name?: string | null | undefined;
  /** JSON values; DATE_TIME as ISO 8601 text or `Date`. */
  readonly properties?: Readonly<Record<string, unknown>> | null | undefined;
  readonly ifVersion?: number | null | undefined;
}

export interface LinkInput {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly properties?: Readonly<Record<string, unknown>> | null | undefined;
  readonly ifVersion?: number | null | undefined;
}

export interface EntityReference {
  readonly urn: string;
  readonly ifVersion?: number | null | undefined;
}

export type LinkReference = Omit<LinkInput, 'properties'>;

/** What a user asks to be written, in any door: GraphQL, bulk, files of a run. */
export interface KnowledgeWrite {
  readonly entities?: readonly EntityInput[];
  readonly links?: readonly LinkInput[];
  readonly deletions?: readonly EntityReference[];
  readonly linkDeletions?: readonly LinkReference[];
  readonly purges?: readonly EntityReference[];
}

export interface KnowledgeWriteOptions {
  /** @default false */
  readonly atomic?: boolean | undefined;
  /** @default false: a link to what does not exist is refused */
  readonly allowPlaceholders?: boolean | undefined;
  /** 1 to 200 printable characters. */
  readonly idempotencyKey?: string | undefined;
}

export interface EntityOutcome {
  /** Null when the item was refused before its urn was known. */
  readonly urn: string | null;
  readonly outcome: WriteOutcome;
  /** The one that it has now; of a refused item 0 also where it cannot be looked up. */
  readonly version: number;
  /** Why it was refused; absent also on the sound items of an atomic batch that was refused for others. */
  readonly refusal?: Refusal;
}

export interface LinkOutcome extends Omit<EntityOutcome, 'urn'> {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
}

/** Results stand in the order of the request. */
export interface KnowledgeReceipt {
  readonly sequence: number | null;
  readonly transactions: number;
  readonly replayed: boolean;
  readonly entities: readonly EntityOutcome[];
  readonly links: readonly LinkOutcome[];
  readonly deletions: readonly EntityOutcome[];
  readonly linkDeletions: readonly LinkOutcome[];
  readonly purges: readonly EntityOutcome[];
}

/** A node as the generic reads show it: hidden properties left out, JSON properties parsed, instants as `Date`. */
export interface EntityRecord {
  readonly urn: string;
  readonly kind: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
  readonly placeholder: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface LinkRecord {
  readonly kind: string;
  readonly direction: 'OUT' | 'IN';
  readonly node: EntityRecord;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface SearchHit {
  readonly entity: EntityRecord;
  readonly score: number;
  readonly highlights: readonly { readonly property: string; readonly text: string }[];
}

/** Writes of users: checked against the kinds, then handed to the graph store. */
export interface KnowledgeWriter {
  /**
   * Never throws for what is wrong with an item: each has its result. With `atomic` one bad item makes all `refused`.
   *
   * @throws AppError PAYLOAD_TOO_LARGE for an atomic request over the bounds of one transaction
   * @throws AppError CONFLICT when the idempotency key was used with another request
   */
  write(request: KnowledgeWrite, context: WriteContext, options?: KnowledgeWriteOptions): Promise<KnowledgeReceipt>;
}

/** Generic reads of users. Deleted entities, placeholders and links of either are left out unless asked for. */
export interface KnowledgeReader {
  nodes(urns: readonly string[], options?: { includeDeleted?: boolean }): Promise<(EntityRecord | null)[]>;
  entities(filter: { kind?: string | undefined }): KeysetList<EntityRecord>;
  links(
    urn: string,
    filter: { kinds?: readonly string[] | undefined; direction?: 'OUT' | 'IN' | 'BOTH' | undefined },
  ): KeysetList<LinkRecord>;
  search(filter: { text: string; kinds?: readonly string[] | undefined }): Pick<KeysetList<SearchHit>, 'page'>;
  /** Where the links of one kind lead that leave each of these entities, also to what is not shown. */
  linkEnds(urns: readonly string[], kind: string): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** What kinds there are. A kind only ever grows, so what an older copy allows is still allowed: a refusal alone needs a fresh look. */
export interface KindRegistry {
  /** As they are in the graph now. */
  all(): Promise<readonly KindDefinition[]>;
  /** From memory where possible. */
  find(name: string): Promise<KindDefinition | undefined>;
  /** The copy in memory, read once. */
  known(): Promise<KindCatalog>;
  /** A copy as of now, kept in memory from here on. */
  refresh(): Promise<KindCatalog>;
  /** A copy that is new enough to show these items of the change log. */
  catalogFor(items: readonly ChangeItem[]): Promise<KindCatalog>;
  /**
   * Stores a kind, or what it has more than before.
   * @throws InputError that lists every problem: a bad or taken name, a property that changes its type, an unknown kind in a link
   */
  define(
    kind: Omit<KindDefinition, 'origin'>,
    context: WriteContext,
  ): Promise<{ kind: KindDefinition; sequence: number | null }>;
}
