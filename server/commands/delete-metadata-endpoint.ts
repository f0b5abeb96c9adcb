import { AppError, InputError } from '#errors';
import { all, type Deletion, type EdgeDeletion, type UnitRecord, WRITE_LIMITS } from '#graph-store';
import { unitEdges } from '#ingestion';
import { API_ACTOR, type CommandContext } from './command-context.js';
import { requireEndpoint } from './endpoint-subject.js';

export interface DeleteEndpointInput {
  readonly id: string;
  readonly cascade?: boolean | null;
}

/** Deletes softly; checkpoints and history stay.
 * @throws InputError when it is unknown, in use, or one of its units runs */
export async function deleteMetadataEndpoint(
  { catalog, graph, ingestion }: CommandContext,
  input: DeleteEndpointInput,
): Promise<{ deletedUrns: readonly string[]; sequence: number | null }> {
  const endpoint = await requireEndpoint({ catalog }, input.id, 'input.id');
  const units = dedupe([
    ...(await all(catalog.units({ endpointId: input.id }))),
    ...(await all(catalog.units({ sinkId: input.id }))),
  ]);
  if (units.length > 0 && !input.cascade) {
    throw InputError.one(
      'CONFLICT',
      'input.id',
      `is used by ${units.map((unit) => unit.name).join(', ')}: set cascade to delete those units too`,
    );
  }
  for (const unit of units) {
    if ((await ingestion.runningUnit(unit.endpointId, unit.id)) !== undefined) {
      throw InputError.one('CONFLICT', 'input.id', `is used by ${unit.name}, which is running: cancel that run first`);
    }
  }
  const parts: Deletions[] = [];
  for (const unit of units) parts.push(await deletionOf(catalog, unit));
  let sequence: number | null = null;
  try {
    for (const batch of batchesOf(endpoint.urn, parts)) {
      ({ sequence } = await graph.write(batch, API_ACTOR));
    }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
    throw InputError.one('CONFLICT', 'input.id', 'was deleted by somebody else meanwhile');
  }
  return { deletedUrns: [endpoint.urn, ...units.map((unit) => unit.urn)], sequence };
}

/** What goes with one unit, or with several. */
interface Deletions {
  readonly deletions: Deletion[];
  readonly edgeDeletions: EdgeDeletion[];
}

async function deletionOf(catalog: CommandContext['catalog'], unit: UnitRecord): Promise<Deletions> {
  const statuses = await all(catalog.statuses({ endpointId: unit.endpointId, unitId: unit.id }));
  return {
    deletions: [unit, ...statuses].map(({ urn }) => ({ urn })),
    // A unit that is defined again later starts without the sinks that it had.
    edgeDeletions: unitEdges(unit.endpointId, unit.id, unit.sinks),
  };
}

/**
 * One batch, unless there are more units than a transaction takes. Then the endpoint goes with the last of them, so what an
 * interruption leaves behind is an endpoint with fewer units, to be deleted again.
 */
function batchesOf(endpointUrn: string, units: readonly Deletions[]): Deletions[] {
  let batch: Deletions = { deletions: [{ urn: endpointUrn }], edgeDeletions: [] };
  const batches = [batch];
  for (const { deletions, edgeDeletions } of units) {
    const items = batch.deletions.length + batch.edgeDeletions.length + deletions.length + edgeDeletions.length;
    if (items > WRITE_LIMITS.items) {
      batch = { deletions: [], edgeDeletions: [] };
      batches.unshift(batch);
    }
    batch.deletions.push(...deletions);
    batch.edgeDeletions.push(...edgeDeletions);
  }
  return batches;
}

function dedupe(units: readonly UnitRecord[]): UnitRecord[] {
  return [...new Map(units.map((unit) => [unit.urn, unit])).values()];
}
