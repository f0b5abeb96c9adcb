import { randomUUID } from 'node:crypto';
import { InputError } from '#errors';
import type { CommandContext } from './command-context.js';
import { requireCapability, requireEndpoint } from './endpoint-subject.js';

export interface CollectMetadataInput {
  readonly endpointId: string;
  readonly scope?: readonly string[] | null;
  readonly allowDeletions?: boolean | null;
}

/** @throws InputError for an unknown endpoint */
export async function cancelMetadataCollection(
  context: CommandContext,
  { endpointId }: { readonly endpointId: string },
): Promise<{ collectionId: string | null }> {
  await requireEndpoint(context, endpointId, 'input.endpointId');
  return { collectionId: (await context.operations.cancelCollection(endpointId)) ?? null };
}

const MAX_SCOPE = 1_000;

/** @throws InputError for what names no source that can be collected from */
export async function collectMetadata(
  context: CommandContext,
  input: CollectMetadataInput,
): Promise<{ collectionId: string; alreadyRunning: boolean }> {
  const scope = input.scope ?? [];
  if (scope.length > MAX_SCOPE || scope.includes('')) {
    throw InputError.one('BAD_USER_INPUT', 'input.scope', `must have at most ${MAX_SCOPE} names, none of them empty`);
  }
  const endpoint = await requireEndpoint(context, input.endpointId, 'input.endpointId');
  await requireCapability(context, endpoint, 'metadata.collect');
  const { id: endpointId } = endpoint;
  const allowDeletions = input.allowDeletions ?? false;
  return context.operations.collect({ collectionId: randomUUID(), endpointId, scope, allowDeletions });
}
