import type { EdgeKind, EntityKind } from '#graph-schema';
import type { Properties, PropertyPatch } from './property-values.js';

/** One node to create or change. Only the given properties change; `null` removes one. */
export interface EntityUpsert {
  readonly kind: EntityKind;
  readonly urn: string;
  /** Caption for people. */
  readonly name: string;
  readonly properties?: PropertyPatch;
  /** Given only to a node that has no value for them yet. */
  readonly initial?: Properties;
  /** Compare-and-set: the version the node must have; 0 means that it must not exist, or be deleted. */
  readonly ifVersion?: number;
}

/** One edge to create or change. An end that does not exist yet becomes a placeholder node, filled in when its entity arrives. */
export interface EdgeUpsert {
  readonly kind: EdgeKind;
  readonly from: string;
  readonly to: string;
  readonly properties?: PropertyPatch;
}

export interface GraphBatch {
  readonly entities?: readonly EntityUpsert[];
  readonly edges?: readonly EdgeUpsert[];
  /** Urns to delete softly: they keep their history, and the next upsert brings them back. */
  readonly deletions?: readonly string[];
  /** Edges to delete softly; one that does not exist or is deleted already is left alone. */
  readonly edgeDeletions?: readonly Pick<EdgeUpsert, 'kind' | 'from' | 'to'>[];
}

/** Who writes, for the change log. */
export interface WriteContext {
  readonly actor: string;
  readonly runId?: string;
}

type WriteOutcome = 'created' | 'updated' | 'deleted' | 'unchanged';

export interface EntityResult {
  readonly urn: string;
  readonly outcome: WriteOutcome;
  readonly version: number;
}

export interface WriteReceipt {
  /** Sequence of the change that holds this write; null when nothing changed and so nothing was logged. */
  readonly sequence: number | null;
  readonly entities: readonly EntityResult[];
}

/** One node or edge of a change. `before` and `after` hold the changed properties alone. */
export interface ChangeItem {
  readonly operation: 'created' | 'updated' | 'deleted';
  /** Urn of the node, or of the node that the edge leaves. */
  readonly urn: string;
  readonly kind: string;
  /** Urn of the node that the edge enters; absent on nodes. */
  readonly to?: string;
  readonly version: number;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

export interface Change {
  readonly sequence: number;
  readonly at: Date;
  readonly actor: string;
  readonly runId: string | null;
  readonly items: readonly ChangeItem[];
}

/**
 * The one door for writing to Neo4j. A batch is one transaction that holds nodes, edges and the record of the change, so
 * either all of it is there or nothing. The same batch twice changes nothing: no version grows and nothing is logged.
 */
export interface GraphStore {
  /**
   * @throws AppError CONFLICT when an `ifVersion` does not hold (details: urn, expected, actual); nothing is written then
   * @throws AppError STORE_UNAVAILABLE when Neo4j does not answer
   */
  write(batch: GraphBatch, context: WriteContext): Promise<WriteReceipt>;
  upsertEntity(entity: EntityUpsert, context: WriteContext): Promise<WriteReceipt>;
  upsertEdge(edge: EdgeUpsert, context: WriteContext): Promise<WriteReceipt>;
}

/** Reads of the change log. Sequences start at 1 and have no gaps; their order is commit order. */
export interface ChangeLog {
  /** Sequence of the latest committed change; 0 in an empty graph. */
  head(): Promise<number>;
  /** Changes with `after < sequence <= upTo`, in order, `limit` at most. */
  read(range: { after: number; upTo: number; limit: number }): Promise<Change[]>;
}
