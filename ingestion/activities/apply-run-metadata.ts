import type { ApplyRunMetadataInput, RunMetadataSummary } from '../contracts/index.js';
import { applyMetadataFiles } from './apply-metadata-files.js';
import type { ControlDependencies } from './control-dependencies.js';

/** Writes the metadata that a run has left to the graph. @throws what a repetition may mend */
export function applyRunMetadata(
  dependencies: ControlDependencies,
  { runId, files }: ApplyRunMetadataInput,
): Promise<RunMetadataSummary> {
  return applyMetadataFiles(dependencies, files, { id: runId, key: `run ${runId}` });
}
