import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  type IngestionRunInput,
  ingestionWorkflowId,
  TEMPLATE_SYNC_WORKFLOW_ID,
  TYPESCRIPT_TASK_QUEUE,
} from './contracts/index.js';

/** Starting and stopping workflows, for the server. */
export class IngestionClient {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts a run, or finds the one that is running: a unit has one workflow at a time (rule R9). */
  async start(input: IngestionRunInput): Promise<{ runId: string; alreadyRunning: boolean }> {
    const workflowId = ingestionWorkflowId(input.endpointId, input.unitId);
    try {
      await this.#client.workflow.start('ingestionRunWorkflow', {
        workflowId,
        taskQueue: TYPESCRIPT_TASK_QUEUE,
        args: [input],
        memo: { runId: input.runId },
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      });
      return { runId: input.runId, alreadyRunning: false };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const running = await this.runningRunId(input.endpointId, input.unitId);
      // It may have ended between the two calls; then this start is the next run.
      return running === undefined ? this.start(input) : { runId: running, alreadyRunning: true };
    }
  }

  /** Run id of the unit's open workflow; undefined when there is none. */
  async runningRunId(endpointId: string, unitId: string): Promise<string | undefined> {
    try {
      const description = await this.#client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId)).describe();
      return description.status.name === 'RUNNING' ? (description.memo?.runId as string) : undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Asks the running run to stop. @returns its id; undefined when none was running */
  async cancel(endpointId: string, unitId: string): Promise<string | undefined> {
    const runId = await this.runningRunId(endpointId, unitId);
    if (runId === undefined) return undefined;
    try {
      await this.#client.workflow.getHandle(ingestionWorkflowId(endpointId, unitId)).cancel();
      return runId;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Has the templates read from the Python workers; one reading at a time, however many servers ask. */
  async syncTemplates(): Promise<void> {
    await this.#client.workflow.start('templateSyncWorkflow', {
      workflowId: TEMPLATE_SYNC_WORKFLOW_ID,
      taskQueue: TYPESCRIPT_TASK_QUEUE,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
  }
}
