import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  type IngestionRunInput,
  ingestionWorkflowId,
  TEMPLATE_SYNC_WORKFLOW_ID,
  TYPESCRIPT_TASK_QUEUE,
} from './contracts/index.js';

/** What the memo of an open workflow tells of its run. */
export interface RunningRun {
  readonly runId: string;
  readonly sinkId: string;
}

const START_ATTEMPTS = 3;

/** Starting and stopping workflows, for the server. */
export class IngestionClient {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts a run, or finds the one that is running: a unit has one workflow at a time (rule R9). */
  async start(input: IngestionRunInput): Promise<RunningRun & { alreadyRunning: boolean }> {
    const { runId, sinkId } = input;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#client.workflow.start('ingestionRunWorkflow', {
          workflowId: ingestionWorkflowId(input.endpointId, input.unitId),
          taskQueue: TYPESCRIPT_TASK_QUEUE,
          args: [input],
          memo: { runId, sinkId },
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        });
        return { runId, sinkId, alreadyRunning: false };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        const running = await this.runningRun(input.endpointId, input.unitId);
        if (running !== undefined) return { ...running, alreadyRunning: true };
        // It has ended between the two calls, so this start may be the next run.
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  /** The unit's open run; undefined when there is none. */
  async runningRun(endpointId: string, unitId: string): Promise<RunningRun | undefined> {
    try {
      const description = await this.#client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId)).describe();
      return description.status.name === 'RUNNING' ? (description.memo as unknown as RunningRun) : undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Asks the running run to stop. @returns its id; undefined when none was running */
  async cancel(endpointId: string, unitId: string): Promise<string | undefined> {
    const running = await this.runningRun(endpointId, unitId);
    if (running === undefined) return undefined;
    try {
      await this.#client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId)).cancel();
      return running.runId;
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
