import { InputError } from '#errors';

/** Whose checkpoint a key names. A unit has one checkpoint per sink; without a sink the last part of the key is empty. */
export type CheckpointKeyParts = { vendor: string; endpointId: string; unitId: string; sinkId?: string };

/** Ids hold no colon, so the separator `::` can never occur inside a part. */
const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const KEY_PATTERN = /^ingest::([^:]+)::endpoint::([^:]+)::unit::([^:]+)::sink::([^:]*)$/;

/** @throws InputError that names the part which is not an id */
export function checkpointKey({ vendor, endpointId, unitId, sinkId }: CheckpointKeyParts): string {
  checkId('vendor', vendor);
  checkId('endpointId', endpointId);
  checkId('unitId', unitId);
  if (sinkId !== undefined) checkId('sinkId', sinkId);
  return `ingest::${vendor}::endpoint::${endpointId}::unit::${unitId}::sink::${sinkId ?? ''}`;
}

/** The inverse of `checkpointKey`. @throws InputError when the text is not a checkpoint key */
export function parseCheckpointKey(text: string): CheckpointKeyParts {
  const [, vendor, endpointId, unitId, sinkId] = KEY_PATTERN.exec(text) ?? [];
  if (vendor === undefined || endpointId === undefined || unitId === undefined || sinkId === undefined) {
    const form = 'ingest::<vendor>::endpoint::<endpointId>::unit::<unitId>::sink::<sinkId?>';
    throw InputError.one('BAD_USER_INPUT', 'key', `must have the form ${form}`);
  }
  const parts: CheckpointKeyParts = { vendor, endpointId, unitId, ...(sinkId === '' ? {} : { sinkId }) };
  checkpointKey(parts);
  return parts;
}

function checkId(field: string, id: string): void {
  if (ID_PATTERN.test(id)) return;
  const rule = 'must start with a letter or digit and hold only letters, digits, "_", "." and "-" (128 at most)';
  throw InputError.one('BAD_USER_INPUT', field, rule);
}
