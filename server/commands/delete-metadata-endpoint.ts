import { AppError, InputError } from '#errors';
import { all, type UnitRecord } from '#graph-store';
import { unitEdges } from '#ingestion';
import { API_ACTOR, type CommandContext } from './command-context.js';

export interface DeleteEndpointInput {
  readonly id: string;
  readonly cascade?: boolean | null;
}

/** Deletes softly; checkpoints and history stay. @throws InputError when it is unknown, in use, or one of its units runs */
export async function deleteMetadataEndpoint(
  { catalog, graph, ingestion }: CommandContext,
  input: DeleteEndpointInput,
): Promise<{ deletedUrns: readonly string[]; sequence: number | null }> {
  const endpoint = await catalog.endpoint(input.id);
  if (endpoint === undefined) {
    throw InputError.one('NOT_FOUND', 'input.id', `names no endpoint: ${JSON.stringify(input.id)}`);
  }
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
    if ((await ingestion.runningRun(unit.endpointId, unit.id)) !== undefined) {
      throw InputError.one('CONFLICT', 'input.id', `is used by ${unit.name}, which is running: cancel that run first`);
    }
  }
  const statuses = await Promise.all(
    units.map((unit) => all(catalog.statuses({ endpointId: unit.endpointId, unitId: unit.id }))),
  );
  const deletedUrns = [endpoint.urn, ...units.map((unit) => unit.urn)];
  try {
    const { sequence } = await graph.write(
      {
        deletions: [...deletedUrns, ...statuses.flat().map((status) => status.urn)].map((urn) => ({ urn })),
        // A unit that is defined again later starts without the sinks that it had.
        edgeDeletions: units.flatMap((unit) => unitEdges(unit.endpointId, unit.id, unit.sinks)),
      },
      API_ACTOR,
    );
    return { deletedUrns, sequence };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
    throw InputError.one('CONFLICT', 'input.id', 'was deleted by somebody else meanwhile');
  }
}

function dedupe(units: readonly UnitRecord[]): UnitRecord[] {
  return [...new Map(units.map((unit) => [unit.urn, unit])).values()];
}
