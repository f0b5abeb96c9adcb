import type { Client } from '@temporalio/client';

/** All that Temporal keeps of a workflow, payloads decoded to text. */
export async function historyText(client: Client, workflowId: string, runId?: string): Promise<string> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  // A payload's `data` has become base64 by the time that the replacer sees it.
  const text = JSON.stringify(history, (key, value) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
  );
  return text.replaceAll('\\"', '"');
}
