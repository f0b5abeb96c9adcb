import { type PropertyPatch, type PropertyValue, sameValue } from './property-values.js';

export interface PropertyChange {
  readonly before: Record<string, PropertyValue | null>;
  readonly after: Record<string, PropertyValue | null>;
}

/** What a patch really changes; undefined when every asked-for value is there already. */
export function planPatch(
  current: Readonly<Record<string, PropertyValue>>,
  patch: PropertyPatch,
): PropertyChange | undefined {
  const change: PropertyChange = { before: {}, after: {} };
  for (const [key, wanted] of Object.entries(patch)) {
    const present = current[key];
    if (sameValue(present, wanted)) continue;
    change.before[key] = present ?? null;
    change.after[key] = wanted;
  }
  return Object.keys(change.after).length === 0 ? undefined : change;
}
