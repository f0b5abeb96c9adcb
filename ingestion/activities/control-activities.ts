import { ZodError } from 'zod';
import { AppError, ERROR_REGISTRY } from '#errors';
import type { ControlActivities } from '../contracts/index.js';
import { applyCollected } from './apply-collected.js';
import { applyRunMetadata } from './apply-run-metadata.js';
import { completeCollection, failCollection, startCollection } from './collection-life.js';
import { completeIngestionRun } from './complete-ingestion-run.js';
import type { ControlDependencies } from './control-dependencies.js';
import { endpointRef, presentEndpoint } from './endpoint-ref.js';
import { prepareEndpointTest, storeEndpointTest } from './endpoint-test.js';
import { failIngestionRun } from './fail-ingestion-run.js';
import { removeVanished } from './remove-vanished.js';
import { permanentFailure } from './run-failure.js';
import { startIngestionRun } from './start-ingestion-run.js';
import { storeMetadataEndpointTemplates } from './store-metadata-endpoint-templates.js';

/** The activities of the TypeScript worker, over the given stores. */
export function createControlActivities(dependencies: ControlDependencies): ControlActivities {
  return {
    startIngestionRun: (input) => permanently(() => startIngestionRun(dependencies, input)),
    applyRunMetadata: (input) => permanently(() => applyRunMetadata(dependencies, input)),
    completeIngestionRun: (input) => permanently(() => completeIngestionRun(dependencies, input)),
    failIngestionRun: (input) => permanently(() => failIngestionRun(dependencies, input)),
    startCollection: (input) => permanently(() => startCollection(dependencies, input)),
    applyCollected: (input) => permanently(() => applyCollected(dependencies, input)),
    removeVanished: (input) => permanently(() => removeVanished(dependencies, input)),
    completeCollection: (input) => permanently(() => completeCollection(dependencies, input)),
    failCollection: (input) => permanently(() => failCollection(dependencies, input)),
    endpointRef: (endpointId) =>
      permanently(async () => endpointRef(await presentEndpoint(dependencies.catalog, endpointId))),
    prepareEndpointTest: (subject) => permanently(() => prepareEndpointTest(dependencies, subject)),
    storeEndpointTest: (report) => permanently(() => storeEndpointTest(dependencies, report)),
    storeMetadataEndpointTemplates: (list) => permanently(() => storeMetadataEndpointTemplates(dependencies, list)),
  };
}

/** Outages are repeated without end by the retry policy; an error that no repetition can mend must end the run instead. */
async function permanently<T>(activity: () => Promise<T>): Promise<T> {
  try {
    return await activity();
  } catch (error) {
    if (error instanceof AppError && !ERROR_REGISTRY[error.code].retryable) {
      throw permanentFailure({ code: error.code, category: 'internal', field: null, message: error.message });
    }
    if (error instanceof ZodError) {
      throw permanentFailure({
        code: 'CONTRACT_BROKEN',
        category: 'internal',
        field: error.issues[0]?.path.join('.') ?? null,
        message: `a payload between the workers breaks the contract: ${error.issues[0]?.message}; run workers of one version`,
      });
    }
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
      throw permanentFailure({
        code: 'INTERNAL',
        category: 'internal',
        field: null,
        message: `a fault in the control worker: ${error.message}`,
      });
    }
    throw error;
  }
}
