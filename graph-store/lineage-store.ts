import type { GraphBatch, WriteContext } from './graph-store.js';

/** What the graph remembers of events beside what it shows. */
export interface LineageRecord {
  readonly key: string;
  /** What it is found by together with others, and when it lies; null for one that is found by its key alone. */
  readonly place: { readonly series: string; readonly first: string; readonly last: string } | null;
  /** JSON. */
  readonly data: string;
}

/** A part of a series that is asked for: instants are texts of one width whose order is that of time. */
export interface Stretch {
  readonly series: string;
  readonly from: string;
  readonly to: string;
  /** Nothing that begins earlier reaches into the stretch. */
  readonly since: string;
}

/** The records in a stretch and around it. */
export interface StretchRecords {
  readonly within: readonly LineageRecord[];
  /** The latest that end before it, and the earliest that begin after it, in this order. */
  readonly before: readonly LineageRecord[];
  readonly after: readonly LineageRecord[];
}

/** What is remembered, as the transaction that asks sees it. */
export interface LineageRecords {
  /** By key; those that are not there are missing. */
  get(keys: Iterable<string>): Promise<ReadonlyMap<string, LineageRecord>>;
  /** @param reach how many to tell of those before and of those after each stretch */
  around(stretches: readonly Stretch[], reach: number): Promise<readonly StretchRecords[]>;
}

/** A place in a series, behind which a page goes on. */
export interface SeriesPlace {
  readonly time: string;
  readonly key: string;
}

/** A version of a data set that is old, with those runs that are linked to it. */
export interface OldVersion {
  readonly urn: string;
  readonly runs: readonly string[];
}

/** What retention looks at, beside what is remembered. */
export interface LineageHoldings extends LineageRecords {
  /** Records of a series that lie before an instant, by time and then by key. */
  old(
    series: string,
    page: { readonly before: string; readonly after: SeriesPlace | null; readonly limit: number },
  ): Promise<readonly LineageRecord[]>;
  /** Those of some runs that are the platform's own. */
  ownRuns(urns: readonly string[]): Promise<ReadonlySet<string>>;
  /** Those of some versions that are the latest of their data set, as walks over runs take them. */
  newestVersions(urns: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Versions that were written before an instant, or never as far as is known, in the order of their urns.
   *
   * @param page `prefix` of their urns; `limit` of those that are looked at, old or not; `links`, the most runs told of each
   * @returns `next`, behind which to go on; null when there are no more
   */
  oldVersions(page: {
    readonly prefix: string;
    readonly before: Date;
    readonly after: string | null;
    readonly limit: number;
    readonly links: number;
  }): Promise<{ readonly versions: readonly OldVersion[]; readonly next: string | null }>;
}

/** Which events of an inbox a write holds. */
export interface InboxCursor {
  readonly inboxId: string;
  /** Position that the graph must have now. */
  readonly after: number;
  readonly upTo: number;
  /** Number of the lease under which they were read. */
  readonly fence: number;
}

/** What one write of events comes to. */
export interface LineageWrite {
  readonly records: readonly LineageRecord[];
  /** Keys of records to remove. */
  readonly removed: readonly string[];
  readonly batch: GraphBatch;
}

/** Where lineage events go: one transaction with their position in the inbox, what is remembered of them and what it shows. */
export interface LineageStore {
  /** Position up to which the graph has the events of an inbox; 0 when it has none. */
  position(inboxId: string): Promise<number>;
  /**
   * Writes what `project` makes of the records; all of it or nothing. Writes of one inbox follow each other.
   *
   * @param project may be called again when the transaction has to be repeated
   * @returns sequence of the change; null when nothing changed
   * @throws AppError CONFLICT when the graph has another position, or has seen a later lease
   * @throws AppError STORE_UNAVAILABLE when Neo4j does not answer, TIMEOUT when it takes too long
   * @throws BatchRefused when the graph cannot take an item
   */
  write(
    cursor: InboxCursor,
    project: (records: LineageRecords) => Promise<LineageWrite>,
    context: WriteContext,
  ): Promise<number | null>;
  /** What is there now, in one transaction that writes nothing. */
  look<T>(read: (holdings: LineageHoldings) => Promise<T>): Promise<T>;
  /**
   * Writes what `revise` makes of what is there, all of it or nothing; no events of any inbox are written meanwhile. What the change
   * log tells of the nodes that it purges stays in the log.
   *
   * @param revise as `project`
   * @returns sequence of the change; null when the graph shows nothing else than before
   * @throws AppError STORE_UNAVAILABLE, TIMEOUT
   */
  revise(revise: (holdings: LineageHoldings) => Promise<LineageWrite>, context: WriteContext): Promise<number | null>;
}
