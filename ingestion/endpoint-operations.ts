import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { AppError } from '#errors';
import {
  type CollectionInput,
  collectionWorkflowId,
  type EndpointTestInput,
  type EndpointTestReport,
  endpointTestWorkflowId,
  type PreviewInput,
  type PreviewReport,
  previewWorkflowId,
  TYPESCRIPT_TASK_QUEUE,
  WORKER_UNAVAILABLE,
} from './contracts/index.js';

/** After it work that no control worker has begun is given up. */
const TAKEN_WITHIN_MS = 5_000;
/** Events of a workflow that no worker has looked at: that it was started, and that somebody should look. */
const UNTOUCHED_EVENTS = 2;
/** Nobody waits any longer. */
const EXECUTION_TIMEOUT = '5 minutes';

/** What can be asked of an endpoint beside moving its rows; each question is a short workflow. For the server. */
export class EndpointOperations {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Tests a connection and waits for what it finds.
   *
   * @throws AppError WORKER_UNAVAILABLE when no worker takes it within seconds, NOT_FOUND for an endpoint that was deleted meanwhile
   */
  test(input: EndpointTestInput): Promise<EndpointTestReport> {
    return this.#answer('endpointTestWorkflow', endpointTestWorkflowId(input.testId), input);
  }

  /** Has some rows of an object left as a file, and waits for it. @throws AppError as `test` does */
  preview(input: PreviewInput): Promise<PreviewReport> {
    return this.#answer('previewWorkflow', previewWorkflowId(input.requestId), input);
  }

  /** Starts a collection, or finds the one that is running: an endpoint has one at a time. */
  async collect(input: CollectionInput): Promise<{ collectionId: string; alreadyRunning: boolean }> {
    const { collectionId, endpointId } = input;
    const workflowId = collectionWorkflowId(endpointId);
    try {
      await this.#client.workflow.start('metadataCollectionWorkflow', {
        ...{ workflowId, args: [input], taskQueue: TYPESCRIPT_TASK_QUEUE, memo: { collectionId } },
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      });
      return { collectionId, alreadyRunning: false };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const { memo } = await this.#client.workflow.getHandle(workflowId).describe();
      return { collectionId: String(memo?.collectionId), alreadyRunning: true };
    }
  }

  /** Asks the running collection from an endpoint to stop. @returns its id; undefined when none was running */
  async cancelCollection(endpointId: string): Promise<string | undefined> {
    const handle = this.#client.workflow.getHandle(collectionWorkflowId(endpointId));
    try {
      const { status, memo } = await handle.describe();
      if (status.name !== 'RUNNING') return undefined;
      await handle.cancel();
      return String(memo?.collectionId);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  async #answer<Answer>(workflowType: string, workflowId: string, input: unknown): Promise<Answer> {
    const handle = await this.#client.workflow.start(workflowType, {
      ...{ workflowId, args: [input], taskQueue: TYPESCRIPT_TASK_QUEUE },
      workflowExecutionTimeout: EXECUTION_TIMEOUT,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
    const answered = new AbortController();
    try {
      return (await Promise.race([handle.result(), this.#giveUpUntaken(handle, answered.signal)])) as Answer;
    } catch (error) {
      throw asAppError(error);
    } finally {
      answered.abort();
    }
  }

  /** Rejects for a workflow that no worker begins; otherwise waits until the signal. */
  async #giveUpUntaken(handle: WorkflowHandle, answered: AbortSignal): Promise<never> {
    await sleep(TAKEN_WITHIN_MS, undefined, { signal: answered });
    const { historyLength } = await handle.describe();
    if (historyLength > UNTOUCHED_EVENTS) return new Promise(() => {});
    // A worker that comes later would do what nobody waits for any more. Not awaited: the end would be told before its reason.
    void handle.terminate('no control worker took it in time').catch(() => undefined);
    throw workerUnavailable('control');
  }
}

function asAppError(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  const { cause } = error;
  if (cause instanceof TimeoutFailure)
    return new AppError('TIMEOUT', 'the workers have not answered in time', { cause });
  const root = cause instanceof ActivityFailure ? cause.cause : cause;
  if (!(root instanceof ApplicationFailure)) return error;
  if (root.type === WORKER_UNAVAILABLE) return workerUnavailable('data');
  if (root.type === 'ENDPOINT_NOT_FOUND') return new AppError('NOT_FOUND', root.message, { cause: error });
  return error;
}

function workerUnavailable(worker: 'control' | 'data'): AppError {
  const message = `no ${worker} worker took the work within seconds: none is running, or all are busy`;
  return new AppError('WORKER_UNAVAILABLE', message, { details: { worker } });
}
