import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  type IngestionWorkflowInput,
  ingestionWorkflowId,
  type SinkRun,
  TEMPLATE_SYNC_WORKFLOW_ID,
  TYPESCRIPT_TASK_QUEUE,
} from './contracts/index.js';

/** What the memo of an open workflow tells of its runs. */
export interface RunningUnit {
  readonly runs: readonly SinkRun[];
}

const START_ATTEMPTS = 3;

/** Starting and stopping workflows, for the server. */
export class IngestionClient {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts the runs of a unit, or finds those that are running: a unit has one workflow at a time (rule R9). */
  async start(input: IngestionWorkflowInput): Promise<RunningUnit & { alreadyRunning: boolean }> {
    const runs = 'runs' in input ? input.runs : [{ runId: input.runId, sinkId: input.sinkId }];
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#client.workflow.start('ingestionRunWorkflow', {
          workflowId: ingestionWorkflowId(input.endpointId, input.unitId),
          taskQueue: TYPESCRIPT_TASK_QUEUE,
          args: [input],
          memo: { runs },
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        });
        return { runs, alreadyRunning: false };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        const running = await this.runningUnit(input.endpointId, input.unitId);
        if (running !== undefined) return { ...running, alreadyRunning: true };
        // It has ended between the two calls, so this start may be the next run.
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  /** The unit's open runs; undefined when there are none. */
  async runningUnit(endpointId: string, unitId: string): Promise<RunningUnit | undefined> {
    try {
      const description = await this.#client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId)).describe();
      return description.status.name === 'RUNNING' ? runsOf(description.memo ?? {}) : undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Asks the running runs to stop. @returns them; undefined when none was running */
  async cancel(endpointId: string, unitId: string): Promise<RunningUnit | undefined> {
    const running = await this.runningUnit(endpointId, unitId);
    if (running === undefined) return undefined;
    try {
      await this.#client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId)).cancel();
      return running;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Has the templates read from the Python workers. A reading that is under way may have met an older worker, so it is given up. */
  async syncTemplates(): Promise<void> {
    await this.#client.workflow.start('templateSyncWorkflow', {
      workflowId: TEMPLATE_SYNC_WORKFLOW_ID,
      taskQueue: TYPESCRIPT_TASK_QUEUE,
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
  }
}

/** A workflow from before units could run into several sinks at once tells of its one run. */
function runsOf(memo: Readonly<Record<string, unknown>>): RunningUnit {
  return { runs: (memo.runs ?? [memo]) as SinkRun[] };
}
