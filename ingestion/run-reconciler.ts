import { all, type GraphStore, type IngestionCatalog } from '#graph-store';
import type { IngestionClient } from './ingestion-client.js';
import { runEndedBatch } from './run-records.js';

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
    if (seen.lastRunId === null || (await client.runningRunId(seen.endpointId, seen.unitId)) !== undefined) continue;
    // The workflow may have ended, and recorded its end, since the list was read.
    const status = await catalog.status(seen.endpointId, seen.unitId, seen.sinkId);
    if (status?.state !== 'RUNNING' || status.lastRunId !== seen.lastRunId) continue;
    const run = { runId: seen.lastRunId, endpointId: seen.endpointId, unitId: seen.unitId, sinkId: seen.sinkId };
    await graph.write(
      runEndedBatch(run, {
        endedAt: now(),
        state: 'FAILED',
        error: {
          code: 'RUN_LOST',
          category: 'internal',
          field: null,
          message: 'no workflow of this run exists any more: start the unit again',
        },
      }),
      { actor: 'reconciler', runId: run.runId },
    );
    lost.push(run.runId);
  }
  return lost;
}
