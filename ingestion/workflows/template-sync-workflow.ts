import { control, data } from './activity-proxies.js';

/** Reads the templates from a Python worker, waiting for one if none is up, and stores them in the graph. */
export async function templateSyncWorkflow(): Promise<void> {
  await control.storeMetadataEndpointTemplates(await data.listMetadataEndpointTemplates());
}
