import type { EndpointRecord, IngestionCatalog } from '#graph-store';
import type { EndpointRef } from '../contracts/index.js';
import { permanentFailure } from './run-failure.js';

/** An endpoint as Python needs it; its secrets stay sealed. */
export function endpointRef({ id, templateId, config }: EndpointRecord): EndpointRef {
  return { endpointId: id, templateId, config };
}

/** @throws ApplicationFailure ENDPOINT_NOT_FOUND for one that was deleted since the work was asked for */
export async function presentEndpoint(catalog: IngestionCatalog, endpointId: string): Promise<EndpointRecord> {
  const endpoint = await catalog.endpoint(endpointId);
  if (endpoint !== undefined) return endpoint;
  throw permanentFailure({
    code: 'ENDPOINT_NOT_FOUND',
    category: 'config',
    field: null,
    message: `endpoint ${endpointId} was deleted meanwhile: register it again`,
  });
}
