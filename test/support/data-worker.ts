import { Context } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import {
  type ControlActivities,
  type DataActivities,
  PYTHON_QUESTIONS_TASK_QUEUE,
  PYTHON_TASK_QUEUE,
  type RunIngestionUnitInput,
  type RunIngestionUnitResult,
  TYPESCRIPT_TASK_QUEUE,
} from '#ingestion/contracts';
import { heartbeats } from '../../ingestion/activities/heartbeats.js';
import { loadWorkflowBundle } from '../../ingestion/workflow-bundle.js';
import { pythonTemplates } from './templates.js';
import type { TestNamespace } from './temporal.js';

// Failures that a test causes on purpose are no news.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** What the data worker does for the units of one endpoint. */
export type DataScript = (input: RunIngestionUnitInput) => Promise<RunIngestionUnitResult>;

/** What it does for whoever asks something of an endpoint. */
export type OperationScripts = Omit<DataActivities, 'runIngestionUnit' | 'listMetadataEndpointTemplates'>;

function scripted<Script>(script: Script | undefined): Script {
  if (script === undefined) throw new Error('the test has no script for this');
  return script;
}

/** Both workers of Nucleus in a namespace of the test: the real TypeScript one, and one that acts Python's part unless left out. */
export async function startWorkers(
  temporal: TestNamespace,
  control: ControlActivities,
  { data: withData = true } = {},
): Promise<AsyncDisposable & { scripts: Map<string, DataScript>; operations: Partial<OperationScripts> }> {
  const scripts = new Map<string, DataScript>();
  const operations: Partial<OperationScripts> = {};
  const data: DataActivities = {
    runIngestionUnit: (input) => {
      const script = scripts.get(input.endpointId);
      if (script === undefined) throw new Error(`the test has no script for ${input.endpointId}`);
      return script(input);
    },
    listMetadataEndpointTemplates: pythonTemplates,
    testMetadataEndpoint: (input) => scripted(operations.testMetadataEndpoint)(input),
    collectMetadata: (input) => scripted(operations.collectMetadata)(input),
    previewMetadata: (input) => scripted(operations.previewMetadata)(input),
  };
  const connection = await NativeConnection.connect({ address: temporal.address });
  const create = (options: Pick<WorkerOptions, 'taskQueue' | 'workflowBundle' | 'activities' | 'interceptors'>) =>
    Worker.create({
      connection,
      namespace: temporal.namespace,
      // Otherwise a cancellation would reach an activity only after most of its heartbeat time-out.
      maxHeartbeatThrottleInterval: '100ms',
      // A test that has failed may have left an activity waiting for ever.
      shutdownForceTime: '5s',
      ...options,
    });
  const workers = [
    await create({
      taskQueue: TYPESCRIPT_TASK_QUEUE,
      workflowBundle: await loadWorkflowBundle('.nucleus/build'),
      activities: control,
      interceptors: { activity: [heartbeats] },
    }),
    ...(withData
      ? [
          await create({ taskQueue: PYTHON_TASK_QUEUE, activities: data }),
          await create({ taskQueue: PYTHON_QUESTIONS_TASK_QUEUE, activities: data }),
        ]
      : []),
  ];
  const running = workers.map((worker) => worker.run());
  return {
    ...{ scripts, operations },
    [Symbol.asyncDispose]: async () => {
      for (const worker of workers) worker.shutdown();
      // A forced shutdown rejects; what is closed after the workers must be closed all the same.
      await Promise.allSettled(running);
      await connection.close();
    },
  };
}

const HEARTBEAT_MS = 100;

/** Keeps an activity busy until it is cancelled. @throws CancelledFailure */
export async function untilCancelled(): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(beat);
  }
}
