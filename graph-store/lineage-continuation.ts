import { createHash } from 'node:crypto';
import { InputError } from '#errors';
import type { CheckedWalk } from './lineage-request.js';
import type { LineagePlace } from './lineage-window.js';

/** Raised when the order of a walk changes, so that an older continuation is refused instead of misread. */
const VERSION = 1;

/** What the parts of one walk have in common: sizes and deadlines may change between them. */
export function askedBy({ urn, direction, maxSteps, level, view, kinds, namespaces }: CheckedWalk): readonly unknown[] {
  return [urn, direction, String(maxSteps), level, view, kinds, namespaces];
}

function fingerprint(asked: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url').slice(0, 16);
}

/** Prints places of one walk. */
export function continuationsOf(asked: readonly unknown[]): (place: LineagePlace) => string {
  const query = fingerprint(asked);
  return ({ step, urn, edge }) => Buffer.from(JSON.stringify([VERSION, query, step, urn, edge])).toString('base64url');
}

/** @throws InputError when the text is no continuation of this very query */
export function decodeContinuation(asked: readonly unknown[], text: string): LineagePlace {
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
  if (query !== fingerprint(asked))
    throw refused('belongs to another query: only sizes and deadlines may change between parts');
  return { step, urn, edge };
}

function isEdgeKey(value: unknown): value is LineagePlace['edge'] {
  return (
    value === null || (Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === 'string'))
  );
}

const refused = (rule: string): InputError => InputError.one('BAD_USER_INPUT', 'after', rule);
