import type { CollectionRecord, IngestionCatalog } from '#graph-store';
import {
  type CollectionInput,
  type CollectMetadataInput,
  type CompleteCollectionInput,
  collectMetadataInputSchema,
  type FailCollectionInput,
} from '../contracts/index.js';
import { collectionEnded, collectionLost, collectionStarted } from '../operation-records.js';
import { originContext } from './apply-metadata-files.js';
import type { ControlDependencies } from './control-dependencies.js';
import { endpointRef, presentEndpoint } from './endpoint-ref.js';
import { permanentFailure } from './run-failure.js';

/** Collections of one endpoint that stay in the graph. */
const KEPT_COLLECTIONS = 20;
const SURPLUS = 100;

/** Marks a collection RUNNING, and answers what the data worker needs. Idempotent on its id. */
export async function startCollection(
  { catalog, graph, now }: ControlDependencies,
  input: CollectionInput,
): Promise<CollectMetadataInput> {
  const endpoint = await presentEndpoint(catalog, input.endpointId);
  const [present, latest] = await Promise.all([catalog.collection(input.collectionId), latestOf(catalog, endpoint.id)]);
  if (present !== undefined && present.state !== 'RUNNING') {
    const message = `collection ${input.collectionId} has ended`;
    throw permanentFailure({ code: 'RUN_ENDED', category: 'internal', field: null, message });
  }
  const startedAt = present?.startedAt ?? now();
  await graph.write(collectionStarted(input, startedAt), originContext(input.collectionId));
  // There is one workflow at a time, so that of an earlier collection is gone.
  if (latest !== undefined && latest.id !== input.collectionId && latest.state === 'RUNNING') {
    await graph.write(collectionLost(latest, startedAt), originContext(latest.id));
  }
  const { collectionId: requestId, scope } = input;
  return collectMetadataInputSchema.parse({ requestId, source: endpointRef(endpoint), scope: [...scope] });
}

/** Records what a collection has done, and keeps the latest alone. */
export async function completeCollection(
  { catalog, graph, now }: ControlDependencies,
  input: CompleteCollectionInput,
): Promise<void> {
  const endedAt = (await catalog.collection(input.collectionId))?.endedAt ?? now();
  await graph.write(
    collectionEnded(input, { state: 'SUCCEEDED', endedAt, failure: null, done: input }),
    originContext(input.collectionId),
  );
  const { rows } = await catalog.collections(input.endpointId).page({ first: KEPT_COLLECTIONS + SURPLUS });
  const purges = rows.slice(KEPT_COLLECTIONS).map(({ record }) => ({ urn: record.urn }));
  if (purges.length > 0) await graph.write({ purges }, originContext(input.collectionId), { atomic: false });
}

/** Records why a collection has ended without success. What it has applied until then stays, and nothing was removed for it. */
export async function failCollection(
  { catalog, graph, now }: ControlDependencies,
  input: FailCollectionInput,
): Promise<void> {
  const endedAt = (await catalog.collection(input.collectionId))?.endedAt ?? now();
  const { state, failure } = input;
  await graph.write(collectionEnded(input, { state, endedAt, failure }), originContext(input.collectionId));
}

async function latestOf(catalog: IngestionCatalog, endpointId: string): Promise<CollectionRecord | undefined> {
  return (await catalog.collections(endpointId).page({ first: 1 })).rows[0]?.record;
}
