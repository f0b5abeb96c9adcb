import { randomUUID } from 'node:crypto';
import { InputError } from '#errors';
import type { UnitRecord } from '#graph-store';
import type { CommandContext } from './command-context.js';

export interface StartIngestionInput {
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId?: string | null;
}

export async function startIngestion(
  { catalog, ingestion }: CommandContext,
  input: StartIngestionInput,
): Promise<{ runId: string; alreadyRunning: boolean }> {
  const unit = await requireUnit(catalog, input);
  const sinkId = chooseSink(unit, input.sinkId ?? undefined);
  const run = await ingestion.start({ runId: randomUUID(), endpointId: unit.endpointId, unitId: unit.id, sinkId });
  if (run.sinkId !== sinkId) {
    const message = `cannot start: run ${run.runId} of this unit into ${run.sinkId} has not ended; a unit runs into one sink at a time`;
    throw InputError.one('CONFLICT', 'input.sinkId', message);
  }
  return { runId: run.runId, alreadyRunning: run.alreadyRunning };
}

export async function cancelIngestion(
  { catalog, ingestion }: CommandContext,
  input: { endpointId: string; unitId: string },
): Promise<{ runId: string | null }> {
  const unit = await requireUnit(catalog, input);
  return { runId: (await ingestion.cancel(unit.endpointId, unit.id)) ?? null };
}

async function requireUnit(
  catalog: CommandContext['catalog'],
  input: { endpointId: string; unitId: string },
): Promise<UnitRecord> {
  const unit = await catalog.unit(input.endpointId, input.unitId);
  if (unit !== undefined) return unit;
  const endpoint = await catalog.endpoint(input.endpointId);
  throw endpoint === undefined
    ? InputError.one('NOT_FOUND', 'input.endpointId', `names no endpoint: ${JSON.stringify(input.endpointId)}`)
    : InputError.one(
        'NOT_FOUND',
        'input.unitId',
        `names no unit of ${input.endpointId}: ${JSON.stringify(input.unitId)}`,
      );
}

function chooseSink(unit: UnitRecord, sinkId: string | undefined): string {
  const ids = unit.sinks.map((sink) => sink.endpointId);
  if (sinkId !== undefined) {
    if (ids.includes(sinkId)) return sinkId;
    throw InputError.one('NOT_FOUND', 'input.sinkId', `is not a sink of this unit; its sinks are ${ids.join(', ')}`);
  }
  const [only, ...others] = ids;
  if (only !== undefined && others.length === 0) return only;
  throw InputError.one('BAD_USER_INPUT', 'input.sinkId', `must name one of the unit's sinks: ${ids.join(', ')}`);
}
