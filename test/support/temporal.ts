import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { vi } from 'vitest';
import { testEnvironment } from './environment.js';
import { uniquePrefix } from './unique.js';

export interface TestNamespace extends AsyncDisposable {
  readonly address: string;
  readonly namespace: string;
  readonly connection: Connection;
  readonly client: Client;
}

const USABLE_WITHIN_MS = 60_000;

/** A Temporal namespace of this file's own: task queues have fixed names, so files that share one would share workers. */
export async function openOwnNamespace(name: string): Promise<TestNamespace> {
  const address = testEnvironment().TEMPORAL_ADDRESS;
  const namespace = uniquePrefix(name);
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  const client = new Client({ connection, namespace });
  // The parts of the server learn of a new namespace one after the other; a workflow needs all of them.
  await vi.waitFor(() => client.workflow.start('probe', { workflowId: 'probe', taskQueue: 'probe' }), {
    timeout: USABLE_WITHIN_MS,
    interval: 200,
  });
  await client.workflow.getHandle('probe').terminate();
  return { address, namespace, connection, client, [Symbol.asyncDispose]: () => connection.close() };
}
