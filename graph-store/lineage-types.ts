import type { LineageEdgeDetail, LineageLevel } from '#graph-schema';

/** `BOTH` is all that is upstream and all that is downstream, not what is upstream of the downstream. */
export const LINEAGE_DIRECTIONS = ['UPSTREAM', 'DOWNSTREAM', 'BOTH'] as const;
export type LineageDirection = (typeof LINEAGE_DIRECTIONS)[number];

/**
 * `CURRENT` is what the latest runs say. `at` is lineage as of an instant, ISO 8601 with a zone and up to nine digits of
 * fraction. `EVER` is whatever was there at any time, deleted things included.
 */
export type LineageView = 'CURRENT' | 'EVER' | { readonly at: string };

/** Kinds of node that lineage has. A unit of ingestion is a job too. */
export const LINEAGE_KINDS = ['Dataset', 'Job', 'IngestionUnit', 'Field'] as const;
export type LineageKind = (typeof LINEAGE_KINDS)[number];

/** What an answer shows. The walk goes through what it does not show, and shows its start in any case. */
export interface LineageFilter {
  readonly kinds?: readonly LineageKind[] | undefined;
  /** Namespaces of OpenLineage, as a whole. */
  readonly namespaces?: readonly string[] | undefined;
}

export interface LineageQuery {
  readonly urn: string;
  readonly direction: LineageDirection;
  /** Hops over data sets, 1 or more; all of them when it is left out. */
  readonly depth?: number | undefined;
  /**
   * `DATASET`: data sets with the jobs between them, from a data set or a job. `JOB`: jobs with the data sets between them as
   * edges, from a job. `FIELD`: columns, from a column or from all columns of a data set.
   * @default DATASET
   */
  readonly level?: LineageLevel | undefined;
  /** @default CURRENT */
  readonly view?: LineageView | undefined;
  readonly filter?: LineageFilter | undefined;
}

export interface LineageCallOptions {
  /** Ends the query in Neo4j too; the call then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds. A walk that has listed something by then answers with it, truncated.
   * @default 10000
   */
  readonly deadlineMs?: number | undefined;
}

/** How much one answer may hold, and from where it goes on. */
export interface LineageParts extends LineageCallOptions {
  /** From 1 to 50,000. @default 1000 */
  readonly maxNodes?: number | undefined;
  /** From 1 to 200,000. @default 5000 */
  readonly maxEdges?: number | undefined;
  /** Continuation of an earlier answer to the same query; the sizes may differ. */
  readonly after?: string | undefined;
}

export interface LineageWalk extends LineageQuery, LineageParts {}

export interface LineageNode {
  readonly urn: string;
  /** The most specific one; of a placeholder the one that its urn tells. */
  readonly kind: string;
  /** Labels of the node, `Entity` aside. */
  readonly labels: readonly string[];
  readonly name: string;
  /**
   * Hops over data sets from the start, by the shortest way: the data sets on it, the start not counted. A job that leads from
   * a data set to a deeper one counts as deep as the deeper one.
   */
  readonly depth: number;
  /** Named by an edge, and not described by anything so far. */
  readonly placeholder: boolean;
  readonly deletedAt: string | null;
}

/** One time for which an edge was valid. Instants are UTC with nine digits of fraction. */
export interface LineageInterval {
  readonly from: string;
  /** Not part of the interval; null while it is open. */
  readonly to: string | null;
  /** Urn of the run that first asserted the edge in this interval; null where none is known. */
  readonly firstRun: string | null;
  readonly lastRun: string | null;
  /** Who asserted it first by hand, where that was no run; null where nobody did. */
  readonly firstActor: string | null;
  readonly lastActor: string | null;
}

/** What somebody did to an edge by hand. */
export interface LineageManualEdit {
  readonly does: 'assert' | 'withdraw';
  readonly actor: string;
  readonly at: string;
  readonly note: string | null;
}

/** An edge of which nothing is told but its ends. */
export interface LineageEdgeEnds {
  /** `PASSES` goes from a job to a job that reads what it wrote; the others are stored as such. */
  readonly kind: 'FEEDS' | 'PRODUCES' | 'DERIVES' | 'PASSES';
  readonly from: string;
  readonly to: string;
  /** Urn of the data set of `PASSES`, of the job of `DERIVES`; null where there is none. */
  readonly via: string | null;
}

export interface LineageEdgeRuns extends LineageEdgeEnds {
  /** Of the first and of the last interval; null for `PASSES`, whose halves belong to two jobs. */
  readonly firstRun: string | null;
  readonly lastRun: string | null;
}

export interface LineageEdge extends LineageEdgeRuns {
  readonly current: boolean;
  /** Ascending. Those of `PASSES` are the times when both its halves were valid. */
  readonly intervals: readonly LineageInterval[];
  /** The latest edit of it, or of a half of it; null where there was none. */
  readonly manual: LineageManualEdit | null;
}

/** What an edge is, by how much is told of it. */
export interface LineageEdgeOf extends Record<LineageEdgeDetail, LineageEdgeEnds> {
  readonly ENDS: LineageEdgeEnds;
  readonly RUNS: LineageEdgeRuns;
  readonly WHOLE: LineageEdge;
}

export interface LineageTruncation {
  /** `hub`: one node has more neighbours than fit into an answer. */
  readonly reason: 'nodes' | 'edges' | 'hub' | 'deadline';
  /** The node that has too many neighbours, where `reason` is `hub`. */
  readonly hub: { readonly urn: string; readonly neighbours: number } | null;
  /** To be given as `after`. */
  readonly next: string;
}

/**
 * A part of a walk. The parts of one walk tell each node once, nearest first, and each edge once, with the later of its
 * ends or after it, so whoever adds them up always holds a whole graph. A graph that changes meanwhile may shift a node to
 * another depth, and out of the parts that are left.
 */
export interface LineageAnswer<Edge = LineageEdge> {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly Edge[];
  /** Null when nothing is left. */
  readonly truncated: LineageTruncation | null;
}

/** A part of a walk without the edges. */
export interface LineageImpact {
  /** Nearest first; a `cursor` may be given as `after` too, and goes on behind its node. */
  readonly rows: readonly { readonly cursor: string; readonly record: LineageNode }[];
  /** Null when nothing is left. */
  readonly truncated: LineageTruncation | null;
}

export interface LineagePart<Edge = LineageEdge> {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly Edge[];
}

export interface LineageDiffQuery extends Omit<LineageWalk, 'view' | 'after'> {
  /** The view that is compared. */
  readonly from: LineageView;
  /** The view that it is compared with. */
  readonly to: LineageView;
}

/** Nodes and edges that are in one view and not in the other. A node that changed its depth alone is in neither. */
export interface LineageDiff<Edge = LineageEdge> {
  /** In `to` and not in `from`; null where the walk of `from` was cut, and so nothing is known to lack in it. */
  readonly added: LineagePart<Edge> | null;
  /** In `from` and not in `to`; null where the walk of `to` was cut. */
  readonly removed: LineagePart<Edge> | null;
  /** Why the walk of a view was cut; null where it is whole. */
  readonly fromTruncated: LineageTruncation['reason'] | null;
  readonly toTruncated: LineageTruncation['reason'] | null;
}

export type LineageNamespacesQuery = Omit<LineageWalk, 'level' | 'filter' | 'after'>;

/** A walk over data sets, by namespace. */
export interface LineageNamespaces {
  /** What the walk has met, ordered by name. */
  readonly namespaces: readonly { readonly namespace: string; readonly datasets: number; readonly jobs: number }[];
  /**
   * How many jobs bring data from data sets of one namespace to those of another, or of the same; the most first. The namespace of
   * the job itself does not count.
   */
  readonly flows: readonly { readonly from: string; readonly to: string; readonly jobs: number }[];
  /** Why the walk was cut, and all counts are lower bounds; null where it is whole. */
  readonly truncated: LineageTruncation['reason'] | null;
}

export interface LineagePathsQuery extends LineageCallOptions {
  readonly from: string;
  readonly to: string;
  /** Not `JOB`. @default DATASET */
  readonly level?: LineageLevel | undefined;
  readonly view?: LineageView | undefined;
  /** Hops over data sets, from 1 to 100. @default 30 */
  readonly depth?: number | undefined;
  /** Paths, from 1 to 100. @default 10 */
  readonly limit?: number | undefined;
}

export interface LineagePath {
  readonly urns: readonly string[];
  readonly edges: readonly LineageEdge[];
}

/** What feeds what. Never reads more of the graph than the answer lies in. */
export interface LineageReader {
  /**
   * @param detail how much is told of edges: what nobody wants to know need not be read. @default WHOLE
   * @throws InputError for what breaks a rule, NOT_FOUND where the urn names nothing in the view
   * @throws AppError TIMEOUT when the deadline passes before anything can be told
   */
  walk<Detail extends LineageEdgeDetail = 'WHOLE'>(
    walk: LineageWalk,
    detail?: Detail,
  ): Promise<LineageAnswer<LineageEdgeOf[Detail]>>;
  /** As `walk`, for lists: the nodes without the edges, which saves most of the work. Its continuations fit `walk` too. */
  impact(walk: Omit<LineageWalk, 'maxEdges'>): Promise<LineageImpact>;
  /**
   * The shortest ways of the data between two nodes, all of one length; none when there is no way.
   *
   * @throws InputError NOT_FOUND where an end names nothing in the view
   */
  paths(query: LineagePathsQuery): Promise<readonly LineagePath[]>;
  /**
   * Compares two views, each read as far as the sizes allow.
   *
   * @param detail as of `walk`
   * @throws InputError NOT_FOUND where the urn names nothing in both views
   */
  diff<Detail extends LineageEdgeDetail = 'WHOLE'>(
    query: LineageDiffQuery,
    detail?: Detail,
  ): Promise<LineageDiff<LineageEdgeOf[Detail]>>;
  /** A walk summed up. @throws as `walk` */
  namespaces(query: LineageNamespacesQuery): Promise<LineageNamespaces>;
  /**
   * All nodes of a walk, in pieces, nearest first and however many there are. What belongs to it is settled before the first piece
   * comes, within the deadline; then each piece is a read of its own, so a slow reader keeps no transaction open.
   *
   * @throws as `walk`, when the first piece is asked for
   */
  everything(query: LineageQuery & LineageCallOptions): AsyncIterable<readonly LineageNode[]>;
  /** Of each edge, whether somebody has asserted or withdrawn it by hand. */
  isDrawnByHand(edges: readonly Pick<LineageEdge, 'from' | 'to'>[]): Promise<readonly boolean[]>;
  /**
   * The instant as of which a run has been: when it ended, or when it started if it has not ended. Where only the millisecond is
   * known it is the end of that, so that the run's own events lie before it.
   *
   * @throws InputError naming `asOfRun`
   */
  momentOfRun(urn: string, options?: LineageCallOptions): Promise<string>;
}
