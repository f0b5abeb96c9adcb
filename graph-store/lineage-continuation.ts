import { createHash } from 'node:crypto';
import { InputError } from '#errors';
import type { CheckedWalk } from './lineage-request.js';
import type { LineagePlace } from './lineage-window.js';

/** Raised when the order of a walk changes, so that an older continuation is refused instead of misread. */
const VERSION = 1;

/** Tells of one query from another; sizes and deadlines may change between the parts of one walk. */
function fingerprint({ urn, direction, maxSteps, level, view, kinds, namespaces }: CheckedWalk): string {
  const asked = [urn, direction, String(maxSteps), level, view, kinds, namespaces];
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url').slice(0, 16);
}

/** Prints places of one walk. */
export function continuationsOf(walk: CheckedWalk): (place: LineagePlace) => string {
  const query = fingerprint(walk);
  return ({ step, urn, edge }) => Buffer.from(JSON.stringify([VERSION, query, step, urn, edge])).toString('base64url');
}

/** @throws InputError when the text is no continuation of this very query */
export function decodeContinuation(walk: CheckedWalk, text: string): LineagePlace {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    decoded = undefined;
  }
  const [version, query, step, urn, edge] = Array.isArray(decoded) ? decoded : [];
  if (version !== VERSION || !Number.isSafeInteger(step) || typeof urn !== 'string' || !isEdgeKey(edge)) {
    throw refused('is not a continuation that a walk has returned');
  }
  if (query !== fingerprint(walk))
    throw refused('belongs to another query: only sizes and deadlines may change between parts');
  return { step, urn, edge };
}

function isEdgeKey(value: unknown): value is LineagePlace['edge'] {
  return (
    value === null || (Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === 'string'))
  );
}

const refused = (rule: string): InputError => InputError.one('BAD_USER_INPUT', 'after', rule);
