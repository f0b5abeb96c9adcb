import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CollectionRemoval,
  CollectMetadataInput,
  CollectMetadataPayload,
  MetadataCollection,
} from '../endpoint-types.js';
import { NucleusError } from '../nucleus-error.js';
import { OPERATIONS } from '../operations.js';
import { accepted } from './accepted.js';
import type { Session } from './cli-command.js';
import { EXIT_CODES } from './exit-codes.js';

const LOOK_EVERY_MS = 500;
/** After it somebody is told that no worker has begun. */
const UNTAKEN_AFTER_MS = 15_000;

/** Starts a collection, follows it to its end and prints what it did. @returns the exit code: 1 when it has not succeeded */
export async function collectFrom(input: CollectMetadataInput, session: Session): Promise<number> {
  const { client, output, signal } = session;
  const payload = await client.graphql<{ collectMetadata: CollectMetadataPayload }>(
    OPERATIONS.collectMetadata,
    { input },
    { signal },
  );
  const { collectionId, alreadyRunning } = accepted(payload.collectMetadata);
  if (alreadyRunning) output.note('nucleus: a collection is running already, with a scope of its own; it is followed');
  const collection = await ended(input.endpointId, collectionId ?? '', session);
  await output.result(collection, () => textOf(collection));
  if (collection.removals.some(({ heldBack }) => heldBack)) {
    output.note('nucleus: so much has vanished that nothing was removed; if that is right, use --allow-deletions');
  }
  if (collection.error !== null) output.failure(new NucleusError(collection.error.code, collection.error.message));
  return collection.state === 'SUCCEEDED' ? EXIT_CODES.ok : EXIT_CODES.internal;
}

interface Collections {
  readonly metadataEndpoints: {
    readonly nodes: readonly { readonly collections: { readonly nodes: readonly MetadataCollection[] } }[];
  };
}

/** @throws NucleusError WORKER_UNAVAILABLE when no worker begins it */
async function ended(endpointId: string, id: string, { client, output, signal }: Session): Promise<MetadataCollection> {
  const since = Date.now();
  let toldAt = '';
  for (;;) {
    const found = await client.graphql<Collections>(OPERATIONS.collections, { endpointId }, { signal });
    const collection = found.metadataEndpoints.nodes[0]?.collections.nodes.find((other) => other.id === id);
    if (collection !== undefined && collection.state !== 'RUNNING') return collection;
    if (collection === undefined && Date.now() - since > UNTAKEN_AFTER_MS) {
      throw new NucleusError(
        'WORKER_UNAVAILABLE',
        'no control worker has begun the collection; it goes on once one is there',
      );
    }
    const now = collection === undefined ? 'waiting' : progressOf(collection);
    if (now !== toldAt) output.note(now);
    toldAt = now;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function progressOf({ phase, files, filesApplied }: MetadataCollection): string {
  const of = phase === 'APPLYING' && files !== null ? ` ${filesApplied ?? 0} of ${files} files` : '';
  return `${(phase ?? 'ending').toLowerCase()}${of}`;
}

function textOf({ state, counts, rows, refused, problems, removals }: MetadataCollection): string {
  const found = Object.entries(counts ?? {}).map(([sort, count]) => `${count} ${sort}`);
  return [
    [state.toLowerCase(), ...found].join(', '),
    ...(rows === null ? [] : [`${rows} entities and links, ${refused ?? 0} of them refused`]),
    ...removals.map(lineOf),
    ...problems.map(({ path, row, message }) => `${path}${row === null ? '' : ` row ${row}`}: ${message}`),
  ].join('\n');
}

function lineOf({ namespace, namePrefix, datasets, fields, heldBack }: CollectionRemoval): string {
  const told = `${datasets.vanished} of ${datasets.held} data sets and ${fields.vanished} of ${fields.held} columns have vanished`;
  return `${namespace} ${namePrefix}: ${told}${heldBack ? ', nothing was removed' : ''}`;
}
