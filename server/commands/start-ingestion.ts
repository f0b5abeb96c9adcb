import { randomUUID } from 'node:crypto';
import { InputError } from '#errors';
import type { UnitRecord } from '#graph-store';
import type { SinkRun } from '#ingestion/contracts';
import type { CommandContext } from './command-context.js';

export interface StartIngestionInput {
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId?: string | null;
}

/** Starts a run into one sink, or one into each from a single reading of the source. */
export async function startIngestion(
  { catalog, ingestion }: CommandContext,
  input: StartIngestionInput,
): Promise<{ runId: string | null; runs: readonly SinkRun[]; alreadyRunning: boolean }> {
  const { id: unitId, endpointId, ...unit } = await requireUnit(catalog, input);
  const sinkIds = chooseSinks(unit, input.sinkId ?? undefined);
  const runs = sinkIds.map((sinkId) => ({ runId: randomUUID(), sinkId }));
  const [only, ...others] = runs;
  const isAlone = only !== undefined && others.length === 0;
  const started = await ingestion.start(
    isAlone ? { endpointId, unitId, ...only } : { endpointId, unitId, extractionId: randomUUID(), runs },
  );
  const running = started.runs.map((run) => run.sinkId);
  if (!sinkIds.every((sinkId) => running.includes(sinkId))) {
    const message = `cannot start: this unit runs into ${running.join(', ')} and has not ended; wait for that, or cancel it`;
    throw InputError.one('CONFLICT', 'input.sinkId', message);
  }
  const wanted = started.runs.filter((run) => sinkIds.includes(run.sinkId));
  return { runId: wanted[0]?.runId ?? null, runs: wanted, alreadyRunning: started.alreadyRunning };
}

export async function cancelIngestion(
  { catalog, ingestion }: CommandContext,
  input: { endpointId: string; unitId: string },
): Promise<{ runId: string | null; runs: readonly SinkRun[] }> {
  const unit = await requireUnit(catalog, input);
  const runs = (await ingestion.cancel(unit.endpointId, unit.id))?.runs ?? [];
  return { runId: runs[0]?.runId ?? null, runs };
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

/** All of them unless one is named. */
function chooseSinks({ sinks }: Pick<UnitRecord, 'sinks'>, sinkId: string | undefined): readonly string[] {
  const ids = sinks.map((sink) => sink.endpointId);
  if (sinkId === undefined) return ids;
  if (ids.includes(sinkId)) return [sinkId];
  throw InputError.one('NOT_FOUND', 'input.sinkId', `is not a sink of this unit; its sinks are ${ids.join(', ')}`);
}
