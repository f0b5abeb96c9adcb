import { proxyActivities } from '@temporalio/workflow';

interface Nothing {
  nothing(): Promise<void>;
}

/** Three activities that do nothing, on two task queues: as many steps as a run of a unit has. */
export async function bareWorkflow(queues: { readonly typescript: string; readonly python: string }): Promise<void> {
  const typescript = proxyActivities<Nothing>({ taskQueue: queues.typescript, startToCloseTimeout: '1 minute' });
  const python = proxyActivities<Nothing>({ taskQueue: queues.python, startToCloseTimeout: '1 minute' });
  await typescript.nothing();
  await python.nothing();
  await typescript.nothing();
}
