import type { ErrorRecord } from '#graph-store';
import type { FailIngestionRunInput } from '../contracts/index.js';
import { runEndedBatch } from '../run-records.js';
import type { ControlDependencies } from './control-dependencies.js';
import { repeatOnConflict } from './repeat-on-conflict.js';

/** Records why a run ended without success. The checkpoint stays as it was. */
export async function failIngestionRun(
  { catalog, graph, now }: ControlDependencies,
  input: FailIngestionRunInput,
): Promise<void> {
  const { runId, endpointId, unitId, sinkId, failure, state } = input;
  const error: ErrorRecord | null = failure && {
    code: failure.code,
    category: failure.category,
    field: failure.field,
    message: failure.message,
  };
  await repeatOnConflict(async () => {
    const [run, status] = await Promise.all([catalog.run(runId), catalog.status(endpointId, unitId, sinkId)]);
    const endedAt = run?.endedAt ?? now();
    await graph.write(runEndedBatch(input, { endedAt, state, error, status }), { actor: 'ingestion', runId });
  });
}
