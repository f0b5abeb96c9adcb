import type { LineageDirection, LineageParts, LineageTruncation } from './lineage-types.js';

export interface RunLineageWalk extends LineageParts {
  /** Of a version of a data set, of a run, or of a data set, which stands for its latest version. */
  readonly urn: string;
  readonly direction: LineageDirection;
  /** Hops over versions, 1 or more; all of them when it is left out. */
  readonly depth?: number | undefined;
}

/** What is told of a run; instants are UTC with nine digits of fraction. */
export interface RunOfLineage {
  /** Urn; of several jobs that of the least, null where none is known. */
  readonly job: string | null;
  /** As the events or the platform say it; null for one that others only name. */
  readonly state: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Urn of the run that this one is a part of. */
  readonly parent: string | null;
  /** Urn of the run that the events name as the root, else of the one at the top of the parents. */
  readonly root: string | null;
}

export interface VersionOfLineage {
  /** Urn of its data set. */
  readonly dataset: string;
  /** Its name among the versions of the data set. */
  readonly datasetVersion: string;
  /** When a run wrote it last, or when the last of the runs that wrote it ended; null where neither is known. */
  readonly writtenAt: string | null;
}

export interface RunLineageNode {
  readonly urn: string;
  readonly kind: string;
  readonly name: string;
  /**
   * Hops over versions from the start, by the shortest way: the versions on it, the start not counted. A run that leads from a version to a
   * deeper one counts as deep as the deeper one.
   */
  readonly depth: number;
  /** Named by an edge, and not described by anything so far. */
  readonly placeholder: boolean;
  /** Null for a version. */
  readonly run: RunOfLineage | null;
  /** Null for a run. */
  readonly version: VersionOfLineage | null;
}

/** As the data flows: READ goes from a version to a run, WROTE from a run to a version. */
export interface RunLineageEdge {
  readonly kind: 'READ' | 'WROTE';
  readonly from: string;
  readonly to: string;
  /** Facets of this one input or output, by their names; null where there are none. */
  readonly facets: Readonly<Record<string, unknown>> | null;
}

/** A part of a walk over runs; parts add up as those of `LineageAnswer` do. */
export interface RunLineage {
  /** The start; of a data set its latest version. */
  readonly urn: string;
  readonly nodes: readonly RunLineageNode[];
  readonly edges: readonly RunLineageEdge[];
  /** Null when nothing is left. */
  readonly truncated: LineageTruncation | null;
}

export interface JobOfRun {
  readonly job: string;
  /** When the run became one of this job, as the clock of the server that wrote it had it. */
  readonly since: Date;
}

/** What runs have read and written. */
export interface RunLineageReader {
  /**
   * What a version was made of and by which runs, or what was made of it.
   *
   * @throws InputError for what breaks a rule, NOT_FOUND where the urn names nothing, or a data set without versions
   * @throws AppError TIMEOUT when the deadline passes before anything can be told
   */
  runs(walk: RunLineageWalk): Promise<RunLineage>;
  /**
   * The jobs that runs have ever been runs of, by the urns of the runs; those without a job are missing.
   *
   * @throws AppError STORE_UNAVAILABLE, TIMEOUT
   */
  jobsOfRuns(urns: readonly string[]): Promise<ReadonlyMap<string, readonly JobOfRun[]>>;
}
