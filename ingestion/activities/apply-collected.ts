import { endpointUrn } from '#graph-schema';
import { WRITE_LIMITS } from '#graph-store';
import type { ApplyCollectedInput, RunMetadataFile, RunMetadataSummary } from '../contracts/index.js';
import { collectionProgress } from '../operation-records.js';
import { applyMetadataFiles, MAX_PROBLEMS, originContext } from './apply-metadata-files.js';
import { collectedUrns } from './collected-urns.js';
import type { ControlDependencies } from './control-dependencies.js';

/**
 * Writes some files of a collection to the graph, and notes which data sets this endpoint has brought: those alone may it remove
 * again. What the graph holds already is not written, so an unchanged source changes nothing.
 */
export async function applyCollected(
  dependencies: ControlDependencies,
  input: ApplyCollectedInput,
): Promise<RunMetadataSummary> {
  const { collectionId, endpointId, files, before, total } = input;
  const origin = { id: collectionId, key: `collection ${collectionId}` };
  const [sound, refused] = [files.filter(tells), files.filter((file) => !tells(file))];
  const applied = withRefused(await applyMetadataFiles(dependencies, sound, origin), refused);
  // Of a file that failed nothing is known.
  if (applied.failed === 0) await claim(dependencies, input);
  const sum = added(before, applied);
  const progress = { phase: 'APPLYING' as const, files: total, filesApplied: sum.files - sum.failed };
  await dependencies.graph.write(
    collectionProgress({ collectionId, endpointId }, progress),
    originContext(collectionId),
  );
  return sum;
}

/** What has vanished is found by comparison, and goes by the rules of that: a collection tells what there is and nothing else. */
function tells({ contents }: RunMetadataFile): boolean {
  return contents !== 'deletions';
}

function withRefused(applied: RunMetadataSummary, refused: readonly RunMetadataFile[]): RunMetadataSummary {
  const message = 'the file cannot be applied: a collection may not delete';
  return added(applied, {
    ...{ files: refused.length, failed: refused.length, rows: 0, refused: 0 },
    problems: refused.map(({ path }) => ({ path, row: null, message })),
  });
}

async function claim(
  dependencies: ControlDependencies,
  { collectionId, endpointId, files }: ApplyCollectedInput,
): Promise<void> {
  const urns = [...(await collectedUrns(dependencies, files, 'Dataset'))];
  for (let start = 0; start < urns.length; start += WRITE_LIMITS.items) {
    const edges = urns
      .slice(start, start + WRITE_LIMITS.items)
      .map((to) => ({ kind: 'COLLECTED' as const, from: endpointUrn(endpointId), to }));
    // A row that was refused has no data set.
    await dependencies.graph.write({ edges }, originContext(collectionId), { atomic: false, missingEnds: 'refuse' });
  }
}

function added(before: RunMetadataSummary, applied: RunMetadataSummary): RunMetadataSummary {
  return {
    files: before.files + applied.files,
    failed: before.failed + applied.failed,
    rows: before.rows + applied.rows,
    refused: before.refused + applied.refused,
    problems: [...before.problems, ...applied.problems].slice(0, MAX_PROBLEMS),
  };
}
