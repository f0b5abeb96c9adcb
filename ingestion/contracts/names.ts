/** Names that both languages know. Changing one breaks running workflows and deployed workers. */
export const TYPESCRIPT_TASK_QUEUE = 'nucleus-control';
export const PYTHON_TASK_QUEUE = 'nucleus-data';
/** For what somebody waits for: a worker keeps room for it however many runs it has taken. */
export const PYTHON_QUESTIONS_TASK_QUEUE = 'nucleus-data-questions';
export const DEFAULT_STAGING_PROVIDER_ID = 'local_directory';
export const INTERNAL_EVENTS_PATH = '/internal/ingestion-events';

/** Type of the failure of a workflow whose work no Python worker took. */
export const WORKER_UNAVAILABLE = 'WORKER_UNAVAILABLE';

/** One workflow per unit, so that one run at a time writes its checkpoints (rule R9). */
export function ingestionWorkflowId(endpointId: string, unitId: string): string {
  return `ingestion::${endpointId}::${unitId}`;
}

export function endpointTestWorkflowId(testId: string): string {
  return `endpoint-test::${testId}`;
}

export function previewWorkflowId(requestId: string): string {
  return `preview::${requestId}`;
}

/** One collection from an endpoint at a time. */
export function collectionWorkflowId(endpointId: string): string {
  return `collection::${endpointId}`;
}

/** Reading the templates is one workflow: the latest reading wins. */
export const TEMPLATE_SYNC_WORKFLOW_ID = 'template-sync';
