import { createHash } from 'node:crypto';

/**
 * A value that came as JSON as text, with the keys of its objects in order: equal values have equal texts. Unlike the canonical
 * JSON of the store it takes any number, since nothing in a facet may make an event unusable. The value must be bounded in depth.
 */
export function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  const printed = Object.keys(members)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(members[key])}`);
  return `{${printed.join(',')}}`;
}

/** Which of two different texts wins where their times are equal: neither arrival nor length may decide. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
