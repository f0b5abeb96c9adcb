import type { FailIngestionRunInput } from '../contracts/index.js';
import { runEndedBatch } from '../run-records.js';
import type { ControlDependencies } from './control-dependencies.js';

/** Records why a run ended without success. The checkpoint stays as it was. */
export async function failIngestionRun(
  { catalog, graph, now }: ControlDependencies,
  input: FailIngestionRunInput,
): Promise<void> {
  const { runId, endpointId, unitId, sinkId, failure, state } = input;
  const [run, status] = await Promise.all([catalog.run(runId), catalog.status(endpointId, unitId, sinkId)]);
  const batch = runEndedBatch(input, {
    endedAt: run?.endedAt ?? now(),
    state,
    error:
      failure === null
        ? null
        : { code: failure.code, category: failure.category, field: failure.field, message: failure.message },
  });
  // A unit that was deleted meanwhile stays deleted: an upsert of its state would bring it back.
  const visible =
    status === undefined
      ? { entities: batch.entities?.filter((entity) => entity.kind === 'IngestionRun') ?? [] }
      : batch;
  await graph.write(visible, { actor: 'ingestion', runId });
}
