import { AppError } from '#errors';
import { all, type GraphStore, type IngestionCatalog } from '#graph-store';
import type { IngestionClient } from './ingestion-client.js';
import { RUN_LOST, runEndedBatch } from './run-records.js';

export interface ReconcilerDependencies {
  readonly catalog: IngestionCatalog;
  readonly graph: GraphStore;
  readonly client: IngestionClient;
  readonly now: () => Date;
}

/**
 * Finds units whose status says RUNNING while no workflow of theirs runs, as after Temporal's data was lost, and records
 * their runs as failed, so that the status tells the truth and the unit can start again.
 *
 * @returns the ids of the runs that were given up
 */
export async function reconcileRuns({ catalog, graph, client, now }: ReconcilerDependencies): Promise<string[]> {
  const lost: string[] = [];
  for (const seen of await all(catalog.statuses({ state: 'RUNNING' }))) {
    const { endpointId, unitId, sinkId, lastRunId } = seen;
    if (lastRunId === null) continue;
    const running = await client.runningUnit(endpointId, unitId);
    if (running?.runs.some(({ runId }) => runId === lastRunId)) continue;
    const run = { runId: lastRunId, endpointId, unitId, sinkId };
    const batch = runEndedBatch(run, { endedAt: now(), state: 'FAILED', error: RUN_LOST, status: seen });
    try {
      await graph.write(batch, { actor: 'reconciler', runId: lastRunId });
      lost.push(lastRunId);
    } catch (error) {
      // The run has recorded its end, or another has begun, since the list was read.
      if (!(error instanceof AppError) || error.code !== 'CONFLICT') throw error;
    }
  }
  return lost;
}
