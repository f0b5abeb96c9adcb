import { datasetUrn, datasetUrnPrefix, parseUrn } from '#graph-schema';
import { all, WRITE_LIMITS } from '#graph-store';
import { collectMetadataResultSchema, type RemoveVanishedInput, type ScopeRemoval } from '../contracts/index.js';
import { collectionProgress } from '../operation-records.js';
import { originContext } from './apply-metadata-files.js';
import { collectedUrns } from './collected-urns.js';
import type { ControlDependencies } from './control-dependencies.js';
import { isSafeRemoval } from './safe-removal.js';

/**
 * Removes softly what earlier collections from this endpoint have brought and this one has not found, in scopes that were looked
 * through to their end. So much at once that it may be a lost permission stays, unless somebody has confirmed it.
 */
export async function removeVanished(
  dependencies: ControlDependencies,
  input: RemoveVanishedInput,
): Promise<ScopeRemoval[]> {
  const { files, completeScopes } = collectMetadataResultSchema.parse(input.collected);
  const { collectionId, endpointId } = input;
  const context = originContext(collectionId);
  await dependencies.graph.write(collectionProgress({ collectionId, endpointId }, { phase: 'REMOVING' }), context);
  const datasets = await collectedUrns(dependencies, files, 'Dataset');
  const fields = await collectedUrns(dependencies, files, 'Field');
  const found: Found = { datasets, fields, described: new Set([...fields].map(datasetOfField)) };
  const removals: ScopeRemoval[] = [];
  for (const scope of completeScopes) {
    const vanished = await vanishedFrom(dependencies, endpointId, scope, found);
    const counts = {
      datasets: { held: vanished.heldDatasets, vanished: vanished.datasets.length },
      fields: { held: vanished.heldFields, vanished: vanished.fields.length },
    };
    const heldBack = !input.allowDeletions && !isSafeRemoval(counts);
    const removed = heldBack ? 0 : await remove(dependencies, context, vanished.datasets);
    const removedFields = heldBack ? 0 : await remove(dependencies, context, vanished.fields);
    // The columns of a data set go with it, and are not counted apart.
    if (!heldBack) await remove(dependencies, context, vanished.fieldsOfVanished);
    removals.push({
      ...{ namespace: scope.namespace, namePrefix: scope.namePrefix, heldBack },
      datasets: { ...counts.datasets, removed },
      fields: { ...counts.fields, removed: removedFields },
    });
  }
  return removals;
}

/** What a collection has found, as urns. */
interface Found {
  readonly datasets: ReadonlySet<string>;
  readonly fields: ReadonlySet<string>;
  /** Data sets of which columns were found; of others it is not known which they have. */
  readonly described: ReadonlySet<string>;
}

interface FromScope {
  readonly heldDatasets: number;
  /** Of data sets that were found, with columns. */
  readonly heldFields: number;
  readonly datasets: readonly string[];
  readonly fields: readonly string[];
  readonly fieldsOfVanished: readonly string[];
}

async function vanishedFrom(
  { catalog }: ControlDependencies,
  endpointId: string,
  { namespace, namePrefix }: { namespace: string; namePrefix: string },
  found: Found,
): Promise<FromScope> {
  const held = await all(catalog.collected(endpointId, datasetUrnPrefix(namespace, namePrefix)));
  const gone = held.filter(({ urn }) => !found.datasets.has(urn));
  const described = held.filter(({ urn }) => found.datasets.has(urn) && found.described.has(urn));
  const heldFields = described.flatMap((dataset) => dataset.fields);
  return {
    heldDatasets: held.length,
    heldFields: heldFields.length,
    datasets: gone.map(({ urn }) => urn),
    fields: heldFields.filter((urn) => !found.fields.has(urn)),
    fieldsOfVanished: gone.flatMap((dataset) => dataset.fields),
  };
}

/** @returns how many were there to remove; those that somebody else has removed meanwhile are not counted */
async function remove(
  { graph }: ControlDependencies,
  context: ReturnType<typeof originContext>,
  urns: readonly string[],
): Promise<number> {
  let removed = 0;
  for (let start = 0; start < urns.length; start += WRITE_LIMITS.items) {
    const deletions = urns.slice(start, start + WRITE_LIMITS.items).map((urn) => ({ urn }));
    const receipt = await graph.write({ deletions }, context, { atomic: false });
    removed += receipt.deletions.filter(({ outcome }) => outcome === 'deleted').length;
  }
  return removed;
}

function datasetOfField(urn: string): string {
  const [namespace = '', dataset = ''] = parseUrn(urn).parts;
  return datasetUrn(namespace, dataset);
}
