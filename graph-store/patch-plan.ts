import { fromNeo4j, type PropertyPatch, type PropertyValue, sameValue } from './property-values.js';

export interface PropertyChange {
  readonly before: Record<string, PropertyValue | null>;
  readonly after: Record<string, PropertyValue | null>;
}

/** Whether every asked-for value is there already. @param current as the driver returns it */
export function includes(current: Readonly<Record<string, unknown>>, patch: PropertyPatch): boolean {
  for (const key in patch) {
    if (!sameValue(fromNeo4j(current[key] ?? null), patch[key])) return false;
  }
  return true;
}

/**
 * What a patch really changes; undefined when every asked-for value is there already.
 * @param current as the driver returns it: of many properties a patch often names few, so only those are converted
 */
export function planPatch(
  current: Readonly<Record<string, unknown>>,
  patch: PropertyPatch,
): PropertyChange | undefined {
  const change: PropertyChange = { before: {}, after: {} };
  for (const [key, wanted] of Object.entries(patch)) {
    const present = fromNeo4j(current[key] ?? null) as PropertyValue | null;
    if (sameValue(present, wanted)) continue;
    change.before[key] = present;
    change.after[key] = wanted;
  }
  return Object.keys(change.after).length === 0 ? undefined : change;
}
