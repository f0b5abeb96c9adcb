import type { Refusal, WriteOutcome } from './graph-store.js';
import { includes, type PropertyChange, planPatch } from './patch-plan.js';
import type { Properties, PropertyPatch } from './property-values.js';
import { type Held, isDeleted, staleVersion, versionOf } from './write-plan.js';

/** What upserts of entities and of edges have in common. */
interface Upsert {
  readonly properties?: PropertyPatch;
  readonly initial?: Properties;
  readonly required?: readonly string[];
  readonly ifVersion?: number;
}

type UpsertPlan =
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  | { readonly outcome: 'unchanged' }
  | ({ readonly outcome: Extract<WriteOutcome, 'created' | 'updated' | 'revived'> } & PropertyChange);

const UNCHANGED: UpsertPlan = { outcome: 'unchanged' };

const NOTHING: Held = Object.freeze(Object.create(null));

/** @param system properties beside those of the user, such as the name */
export function planUpsert(upsert: Upsert, held: Held | undefined, system: PropertyPatch = {}): UpsertPlan {
  const stale = staleVersion(upsert.ifVersion, held);
  if (stale !== undefined) return { outcome: 'refused', refusal: stale };
  const current = held ?? NOTHING;
  if (versionOf(held) > 0 && !isDeleted(held) && holds(current, upsert, system)) return UNCHANGED;
  const patch = { ...missing(upsert.initial, current), ...upsert.properties, ...system };
  const lacking = upsert.required?.find(
    (name) => ((Object.hasOwn(patch, name) ? patch[name] : current[name]) ?? null) === null,
  );
  if (lacking !== undefined) {
    const refusal: Refusal = {
      code: 'BAD_USER_INPUT',
      field: `properties.${lacking}`,
      message: 'is required: give it a value',
    };
    return { outcome: 'refused', refusal };
  }
  if (versionOf(held) === 0) return { outcome: 'created', before: {}, after: withoutNulls(patch) };
  const change = planPatch(current, { ...patch, deletedAt: null });
  if (change === undefined) return UNCHANGED;
  return { outcome: isDeleted(held) ? 'revived' : 'updated', ...change };
}

/** The short way out for what is there already: most of what is imported again is. */
function holds(current: Held, { properties, initial, required }: Upsert, system: PropertyPatch): boolean {
  return (
    required === undefined && initial === undefined && includes(current, system) && includes(current, properties ?? {})
  );
}

function missing(initial: Properties | undefined, current: Held): Properties {
  const absent: Record<string, Properties[string]> = {};
  for (const key in initial) {
    const value = initial[key];
    if (value !== undefined && (current[key] ?? null) === null) absent[key] = value;
  }
  return absent;
}

function withoutNulls(patch: PropertyPatch): PropertyChange['after'] {
  const values: PropertyChange['after'] = {};
  for (const key in patch) {
    const value = patch[key];
    if (value !== undefined && value !== null) values[key] = value;
  }
  return values;
}
