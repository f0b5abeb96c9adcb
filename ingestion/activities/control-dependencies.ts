import type { GraphStore, IngestionCatalog } from '#graph-store';
import type { CheckpointStore } from '#kv';

/** What the activities work with; the worker's entry point puts it together. */
export interface ControlDependencies {
  readonly catalog: IngestionCatalog;
  readonly graph: GraphStore;
  readonly checkpoints: CheckpointStore;
  readonly now: () => Date;
}
