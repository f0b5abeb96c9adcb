/** What the TypeScript worker registers as workflows. Code here must be deterministic: no clock, no I/O, no randomness. */
export { endpointTestWorkflow } from './endpoint-test-workflow.js';
export { ingestionRunWorkflow } from './ingestion-run-workflow.js';
export { metadataCollectionWorkflow } from './metadata-collection-workflow.js';
export { previewWorkflow } from './preview-workflow.js';
export { templateSyncWorkflow } from './template-sync-workflow.js';
