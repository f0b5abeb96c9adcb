import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';

/** Health check of a worker's container: exit code 0 when this host polls the task queue given as the argument. */
const ACTIVITY_QUEUE = 2;
/** A poll waits up to a minute for work, and is only then seen again. */
const SEEN_WITHIN_MS = 150_000;

const [taskQueue] = process.argv.slice(2);
// biome-ignore lint/style/noProcessEnv: an entry point of its own, with the environment of its container.
const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = process.env;
const connection = await Connection.connect({ address: TEMPORAL_ADDRESS, connectTimeout: 5_000 });
const { pollers } = await connection.workflowService.describeTaskQueue({
  namespace: TEMPORAL_NAMESPACE,
  taskQueue: { name: taskQueue },
  taskQueueType: ACTIVITY_QUEUE,
});
await connection.close();
const alive = pollers.some(({ identity, lastAccessTime }) => {
  const seenMs = Number(lastAccessTime?.seconds ?? 0) * 1_000;
  return identity?.endsWith(`@${hostname()}`) && Date.now() - seenMs < SEEN_WITHIN_MS;
});
process.exit(alive ? 0 : 1);
