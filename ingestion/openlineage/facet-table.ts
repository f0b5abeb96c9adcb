import { canonicalText, hashOf } from './canonical-text.js';
import type { EventTime } from './event-time.js';
import { FACET_SCHEMAS, type FacetPlace, type KnownFacets } from './facet-schemas.js';
import { inOrder, mergeInOrder } from './in-order.js';
import { RecentResults } from './recent-results.js';

/** What stands under one name: the text that came last, and when. A null is a facet that was removed, which must be remembered. */
export interface FacetEntry {
  readonly at: EventTime;
  /** Canonical JSON of the facet, null once it is deleted. */
  readonly text: string | null;
}

/** The facets of one thing by their names. Keys are whatever clients send, so look them up by `Object.hasOwn`. */
export type FacetTable = Readonly<Record<string, FacetEntry>>;

export const NO_FACETS: FacetTable = {};

/** By what the engine prints of a facet, which takes a tenth of the time. */
const canonicalTexts = new RecentResults<string>();

/** The table of what one event says. */
export function facetTable(
  at: EventTime,
  facets: Readonly<Record<string, unknown>>,
  removed: readonly string[],
): FacetTable {
  return inOrder<FacetEntry>([
    ...Object.entries(facets).map(([name, value]) => [name, { at, text: canonicalTextOf(value) }] as const),
    ...removed.map((name) => [name, { at, text: null }] as const),
  ]);
}

const canonicalTextOf = (value: unknown): string =>
  canonicalTexts.of(JSON.stringify(value), () => canonicalText(value));

/** A facet replaces the one of the same name when its event is later; of two at one time the greater content hash wins. */
export function mergeFacets(a: FacetTable, b: FacetTable): FacetTable {
  return a === b ? a : mergeInOrder([a, b], winner);
}

function winner(a: FacetEntry, b: FacetEntry): FacetEntry {
  if (a.at !== b.at) return a.at > b.at ? a : b;
  if (a.text === b.text) return a;
  return hashOf(a.text ?? 'null') > hashOf(b.text ?? 'null') ? a : b;
}

/** The facets that are there now as one JSON object, in their own words; null for none. Numbers keep all of their digits. */
export function facetsText(table: FacetTable): string | null {
  const members = Object.entries(table).flatMap(([name, { text }]) =>
    text === null ? [] : [`${JSON.stringify(name)}:${text}`],
  );
  return members.length === 0 ? null : `{${members.join(',')}}`;
}

/** One facet with its meaning; undefined when it is not there, or is not what its schema says. */
export function knownFacet<Place extends FacetPlace, Name extends keyof KnownFacets<Place> & string>(
  table: FacetTable,
  place: Place,
  name: Name,
): KnownFacets<Place>[Name] | undefined {
  const text = Object.hasOwn(table, name) ? table[name]?.text : undefined;
  if (text === undefined || text === null) return undefined;
  const { known } = meanings.of(`${place} ${name} ${text}`, () => ({ known: meaningOf(place, name, text) }));
  return known as KnownFacets<Place>[Name] | undefined;
}

const meanings = new RecentResults<{ readonly known: unknown }>();

function meaningOf(place: FacetPlace, name: string, text: string): unknown {
  const schemas: Readonly<Record<string, { safeParse(value: unknown): { success: boolean; data?: unknown } }>> =
    FACET_SCHEMAS[place];
  return schemas[name]?.safeParse(JSON.parse(text)).data;
}
