import type { ErrorCode, ErrorDetails } from '#errors';
import type { KindName, LinkKindName } from '#graph-schema';
import type { Properties, PropertyPatch } from './property-values.js';

/** One node to create or change. Only the given properties change; `null` removes one. */
export interface EntityUpsert {
  readonly kind: KindName;
  readonly urn: string;
  /** Caption for people. Left out it stays as it is; a new node takes the last part of its urn. */
  readonly name?: string;
  readonly properties?: PropertyPatch;
  /** Given only to a node that has no value for them yet. */
  readonly initial?: Properties;
  /** Names of properties that must hold a value after the write. */
  readonly required?: readonly string[];
  /**
   * Leaves a node alone that is there, neither deleted nor a placeholder, whatever it holds; its result then has version 0, which is
   * not known. For what follows from the urn and was written once: to name it again costs no more than an end of an edge.
   */
  readonly onlyIfAbsent?: boolean;
  /** Compare-and-set: the version the node must have; 0 means that it must not exist, or be deleted. */
  readonly ifVersion?: number;
}

export interface EdgeIdentity {
  readonly kind: LinkKindName;
  readonly from: string;
  readonly to: string;
}

/** One edge to create or change. */
export interface EdgeUpsert extends EdgeIdentity {
  readonly properties?: PropertyPatch;
  /** As for entities. */
  readonly required?: readonly string[];
  /** As for entities. */
  readonly ifVersion?: number;
}

export interface Deletion {
  readonly urn: string;
  /** Compare-and-set: the version the node must have. */
  readonly ifVersion?: number;
}

export interface EdgeDeletion extends EdgeIdentity {
  readonly ifVersion?: number;
}

/** What to write. Each node and each edge may be named once. */
export interface GraphBatch {
  readonly entities?: readonly EntityUpsert[];
  readonly edges?: readonly EdgeUpsert[];
  /** Nodes to delete softly: they keep their history and their edges, and the next upsert brings them back. */
  readonly deletions?: readonly Deletion[];
  /** Edges to delete softly; one that does not exist or is deleted already is unchanged, whatever version was expected. */
  readonly edgeDeletions?: readonly EdgeDeletion[];
  /**
   * Nodes to remove for good, with all their edges; what the change log says about their properties is removed as well.
   * The log keeps that there was something, and that it was purged. A node that is made again under the urn begins anew, with
   * version 1 and a history of its own. An edge that the same batch upserts towards such a node is refused.
   */
  readonly purges?: readonly Deletion[];
}

export interface WriteOptions {
  /**
   * All or nothing in one transaction: the refusal of any item refuses all, and a batch over `WRITE_LIMITS` is refused.
   * Otherwise each item stands alone, a refused one is told in its result, and a large batch is split into several
   * transactions. Either way the order is: entities, deletions, edges, deletions of edges, purges.
   * @default true
   */
  readonly atomic?: boolean;
  /**
   * What happens to an edge whose end does not exist: `create` makes a placeholder, to be filled in when its entity arrives;
   * `refuse` refuses the edge, also when the end is a placeholder, or deleted and not brought back by the same batch. An
   * entity that the same batch refuses is not brought about as a placeholder.
   * @default 'create'
   */
  readonly missingEnds?: 'create' | 'refuse';
  /**
   * The same key again, by the same actor, does nothing and answers what the first request was answered; with another
   * batch it is a CONFLICT. Kept for `IDEMPOTENCY_WINDOW_HOURS`.
   */
  readonly idempotencyKey?: string;
}

/** Who writes, for the change log. */
export interface WriteContext {
  readonly actor: string;
  readonly runId?: string;
}

export type WriteOutcome = 'created' | 'updated' | 'deleted' | 'revived' | 'purged' | 'unchanged' | 'refused';

/** Why one item of a batch was refused. */
export interface Refusal {
  readonly code: Extract<ErrorCode, 'BAD_USER_INPUT' | 'NOT_FOUND' | 'CONFLICT'>;
  /** Path within the item, for instance `ifVersion` or `properties.rowCount`. */
  readonly field: string;
  readonly message: string;
  readonly details?: ErrorDetails;
}

export interface ItemResult {
  readonly urn: string;
  readonly outcome: WriteOutcome;
  /** Version after the write; of a refused item the one that it has now, 0 when it does not exist. */
  readonly version: number;
  /** There exactly when the outcome is `refused`. */
  readonly refusal?: Refusal;
}

export interface EdgeResult extends ItemResult {
  /** `urn` is the node that the edge leaves. */
  readonly kind: string;
  readonly to: string;
}

/** Results stand in the order of the batch. */
export interface WriteReceipt {
  /** Sequence of the last change that this write made; null when nothing changed and so nothing was logged. */
  readonly sequence: number | null;
  /** Transactions that the batch took; more than 1 only when it is not atomic. */
  readonly transactions: number;
  /** True when the answer is that of an earlier request with the same idempotency key. */
  readonly replayed: boolean;
  readonly entities: readonly ItemResult[];
  readonly edges: readonly EdgeResult[];
  readonly deletions: readonly ItemResult[];
  readonly edgeDeletions: readonly EdgeResult[];
  readonly purges: readonly ItemResult[];
}

/** Bounds of one transaction. Bytes count urns and texts as UTF-8, property names by their length and all else as 8. */
export const WRITE_LIMITS = { items: 5_000, bytes: 8 * 1024 * 1024 } as const;

export const IDEMPOTENCY_WINDOW_HOURS = 24;

/** One node or edge of a change. `before` and `after` hold the changed properties alone. */
export interface ChangeItem {
  readonly operation: 'created' | 'updated' | 'deleted' | 'revived' | 'purged';
  /** Urn of the node, or of the node that the edge leaves. */
  readonly urn: string;
  /** Most specific kind of the node, or kind of the edge. */
  readonly kind: string;
  /** Urn of the node that the edge enters; absent on nodes. */
  readonly to?: string;
  readonly version: number;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  /** Id of the change before this one that touched the same node or edge; null for its first. */
  readonly previous: string | null;
}

export interface Change {
  readonly sequence: number;
  /** Made before the sequence is known, so that nodes can name their latest change without waiting for the counter. */
  readonly id: string;
  readonly at: Date;
  readonly actor: string;
  readonly runId: string | null;
  readonly items: readonly ChangeItem[];
  /** Characters of the items as JSON: about what a copy of the change takes in memory. */
  readonly size: number;
}

/** One change of one node or edge. */
export interface HistoryEntry {
  readonly change: Omit<Change, 'items' | 'size'>;
  readonly item: ChangeItem;
}

/**
 * The one door for writing to Neo4j. A transaction holds nodes, edges and the record of the change, so either all of it is
 * there or nothing. The same batch twice changes nothing: no version grows and nothing is logged.
 */
export interface GraphStore {
  /**
   * @throws BatchRefused when the batch is atomic and any item is refused; nothing is written then
   * @throws AppError BAD_USER_INPUT for a batch that names an item twice, or that is atomic and over `WRITE_LIMITS`
   * @throws AppError CONFLICT when the idempotency key was used with another batch
   * @throws AppError STORE_UNAVAILABLE when Neo4j does not answer, TIMEOUT when it takes too long
   */
  write(batch: GraphBatch, context: WriteContext, options?: WriteOptions): Promise<WriteReceipt>;
  upsertEntity(entity: EntityUpsert, context: WriteContext): Promise<WriteReceipt>;
  upsertEdge(edge: EdgeUpsert, context: WriteContext): Promise<WriteReceipt>;
}

/** Reads of the change log. Sequences start at 1 and have no gaps; their order is commit order. */
export interface ChangeLog {
  /**
   * Sequence of the latest change; 0 while there is none. All up to it can be read, and what was read of the graph before the call
   * shows nothing of later ones.
   */
  head(): Promise<number>;
  /** Sequence of the oldest change that retention has left; 1 + head when none is left. */
  oldest(): Promise<number>;
  /**
   * Changes with `after < sequence <= upTo`, in order, `limit` at most; fewer when they are large, but one at least.
   * @throws AppError CURSOR_EXPIRED when retention has removed changes after `after`
   */
  read(range: { after: number; upTo: number; limit: number }): Promise<Change[]>;
  /**
   * Changes of one node, the latest first, along its chain: the cost is that of the page, not of the log. It ends early where
   * retention has removed older ones, and after a change that takes what was read past 8 MiB of JSON: a change holds all that
   * its transaction did. Only where nothing at all comes before is the answer empty.
   * @param page `before` is the id of the change after which to go on; absent from the latest
   */
  history(urn: string, page: { limit: number; before?: string | undefined }): Promise<HistoryEntry[]>;
  /**
   * Removes changes older than `olderThan`, in short transactions, always from the old end; the latest change is kept.
   * @returns number of changes removed
   */
  prune(olderThan: Date): Promise<number>;
}
