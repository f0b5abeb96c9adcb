import type { GraphStore, IngestionCatalog, Knowledge } from '#graph-store';
import type { CheckpointStore } from '#kv';

/** What the activities work with; the worker's entry point puts it together. */
export interface ControlDependencies {
  readonly catalog: IngestionCatalog;
  readonly graph: GraphStore;
  readonly checkpoints: CheckpointStore;
  readonly knowledge: Pick<Knowledge, 'writer' | 'kinds' | 'reader'>;
  /** Folder in which runs leave metadata files. */
  readonly metadataRoot: string;
  readonly now: () => Date;
}
