import type { ManagedTransaction } from 'neo4j-driver';
import type { Chunk } from './split-batch.js';
import type { PlannedResult } from './write-plan.js';
import { type PlanSettings, planChunk } from './write-transaction.js';

/** Smaller chunks are not worth a second look. */
const LEAST_ITEMS = 256;
/** Items that are looked at first: if one of them changes anything, the rest is not looked at. */
const SAMPLE = 32;

/**
 * Results of a chunk that changes nothing, which needs no locks then: what is imported again mostly is there already.
 *
 * Every value that the chunk asks for was seen in the graph while it was asked for. So the graph is as if the chunk had been
 * written when the look began, before what others wrote meanwhile. That holds for upserts alone: who expects a version, or
 * removes something, has to hold the locks.
 *
 * @returns undefined when the chunk has to be written, or is of another sort
 */
export async function unchangedResults(
  tx: ManagedTransaction,
  chunk: Chunk,
  settings: PlanSettings,
): Promise<readonly PlannedResult[] | undefined> {
  if (!isPlain(chunk) || chunk.entities.length + chunk.edges.length < LEAST_ITEMS) return undefined;
  const looked = await resultsOfNoChange(tx, sampleOf(chunk), settings);
  return looked && resultsOfNoChange(tx, chunk, settings);
}

async function resultsOfNoChange(
  tx: ManagedTransaction,
  chunk: Chunk,
  settings: PlanSettings,
): Promise<readonly PlannedResult[] | undefined> {
  const { plan } = await planChunk(tx, chunk, settings, false);
  return plan.items.length === 0 && plan.refused.length === 0 ? plan.results : undefined;
}

function isPlain({ entities, edges, deletions, edgeDeletions, purges }: Chunk): boolean {
  if (deletions.length + edgeDeletions.length + purges.length > 0) return false;
  return [...entities, ...edges].every(({ item }) => item.ifVersion === undefined);
}

/** Spread over the chunk: what is new in an import often stands together. */
function sampleOf(chunk: Chunk): Chunk {
  const step = Math.ceil((chunk.entities.length + chunk.edges.length) / SAMPLE);
  const some = <T>(items: T[]): T[] => items.filter((_, index) => index % step === 0);
  return { ...chunk, entities: some(chunk.entities), edges: some(chunk.edges) };
}
