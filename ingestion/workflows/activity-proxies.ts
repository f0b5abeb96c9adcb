import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { PYTHON_QUESTIONS_TASK_QUEUE, PYTHON_TASK_QUEUE, TYPESCRIPT_TASK_QUEUE } from '../contracts/names.js';
import type { ControlActivities, DataActivities } from '../contracts/workflow.js';

/** Short database work. It is repeated without end: a run that has landed must be recorded once Neo4j is back. */
export const control = proxyActivities<ControlActivities>({
  taskQueue: TYPESCRIPT_TASK_QUEUE,
  startToCloseTimeout: '2 minutes',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * Applying metadata files takes as long as they have rows; what is written is not written again, so a repetition costs
 * little. The heartbeat tells a dead worker from a busy one.
 */
export const metadata = proxyActivities<
  Pick<ControlActivities, 'applyRunMetadata' | 'applyCollected' | 'removeVanished'>
>({
  taskQueue: TYPESCRIPT_TASK_QUEUE,
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** A worker that is free takes work at once: what nobody has taken by then is better told than waited for. */
const TAKEN_WITHIN = '5 seconds';

/**
 * What somebody waits for: tried once, since its answer says what is wrong. The heartbeat tells a dead worker from a system
 * that is slow to answer.
 */
export const asked = proxyActivities<Pick<DataActivities, 'testMetadataEndpoint' | 'previewMetadata'>>({
  taskQueue: PYTHON_QUESTIONS_TASK_QUEUE,
  scheduleToStartTimeout: TAKEN_WITHIN,
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { maximumAttempts: 1 },
});

/**
 * Looking through a whole source. Nobody waits for it at that moment, but a worker that has not taken it after a minute is not
 * there.
 */
export const collecting = proxyActivities<Pick<DataActivities, 'collectMetadata'>>({
  taskQueue: PYTHON_TASK_QUEUE,
  scheduleToStartTimeout: '1 minute',
  startToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 4 },
});

/**
 * Moving the rows. The heartbeat tells a dead worker from a busy one; cancellation waits until Python has let go, so
 * that the next run never meets a sink that is still being written.
 */
export const data = proxyActivities<DataActivities>({
  taskQueue: PYTHON_TASK_QUEUE,
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '20 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 6 },
});
