import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { WORKER_UNAVAILABLE } from '../contracts/names.js';
import type { CollectMetadataResult } from '../contracts/operations.js';
import type { IngestionFailure } from '../contracts/run.js';
import type { CollectionInput, RunMetadataSummary, ScopeRemoval } from '../contracts/workflow.js';
import { collecting, control, metadata } from './activity-proxies.js';
import { describeFailure, wasNeverTaken } from './describe-failure.js';

/** Files that are applied between two words of progress. */
const FILES_AT_ONCE = 10;
const NOTHING: RunMetadataSummary = { files: 0, failed: 0, rows: 0, refused: 0, problems: [] };

/** One collection: let Python look through the source, apply what it has found, then remove what has vanished. */
export async function metadataCollectionWorkflow(input: CollectionInput): Promise<void> {
  try {
    const collected = await collecting.collectMetadata(await control.startCollection(input));
    const applied = await applyAll(input, collected);
    const removals = await removalsOf(input, collected, applied);
    const done = { counts: collected.counts, applied, removals };
    await CancellationScope.nonCancellable(() => control.completeCollection({ ...input, ...done }));
  } catch (error) {
    const cancelled = isCancellation(error);
    await CancellationScope.nonCancellable(() =>
      control.failCollection({
        ...input,
        state: cancelled ? 'CANCELLED' : 'FAILED',
        failure: cancelled ? null : failureOf(error),
      }),
    );
    throw error;
  }
}

async function applyAll(input: CollectionInput, { files }: CollectMetadataResult): Promise<RunMetadataSummary> {
  let summary = NOTHING;
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    const some = files.slice(start, start + FILES_AT_ONCE);
    summary = await metadata.applyCollected({ ...input, files: some, before: summary, total: files.length });
  }
  return summary;
}

/** What was not applied may be just what seems to be missing. */
async function removalsOf(
  input: CollectionInput,
  collected: CollectMetadataResult,
  { failed, refused }: RunMetadataSummary,
): Promise<ScopeRemoval[]> {
  if (failed > 0 || refused > 0) return [];
  return metadata.removeVanished({ ...input, collected });
}

function failureOf(error: unknown): IngestionFailure {
  if (!wasNeverTaken(error)) return describeFailure(error, { name: 'collection', again: 'collect again' });
  return {
    code: WORKER_UNAVAILABLE,
    category: 'transient',
    field: null,
    message: 'no data worker took the collection: start one, or wait until one is free, then collect again',
    retryable: true,
  };
}
