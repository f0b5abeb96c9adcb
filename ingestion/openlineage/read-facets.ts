import type { z } from 'zod';
import { EVENT_LIMITS } from './event-limits.js';
import { FACET_SCHEMAS, type FacetPlace, type KnownFacets } from './facet-schemas.js';
import { entry, type Findings, member, shape } from './findings.js';

/** The facets of one thing in one event. */
export interface Facets<Place extends FacetPlace> {
  /** Every facet that is not deleted, as it came. */
  readonly all: Readonly<Record<string, unknown>>;
  /** Those of the chosen ones that Nucleus understands; one that breaks its schema is only in `all`, and named by a warning. */
  readonly known: KnownFacets<Place>;
  /** Names of those that came with `_deleted: true`. */
  readonly removed: readonly string[];
}

/** Reads the facets of one kind. Nothing in a single facet makes the event unusable. */
export function readFacets<Place extends FacetPlace>(
  value: unknown,
  place: Place,
  path: string,
  findings: Findings,
): Facets<Place> {
  const all: [string, unknown][] = [];
  const known: [string, unknown][] = [];
  const removed: string[] = [];
  for (const [name, facet] of entriesOf(value, path, findings)) {
    if (facet === null) continue;
    if (isDeletion(facet)) {
      removed.push(name);
      continue;
    }
    all.push([name, facet]);
    if (!isChosen(place, name, findings)) continue;
    const understood = understand(place, name, facet, member(path, name), findings);
    if (understood !== undefined) known.push([name, understood]);
  }
  return { all: Object.fromEntries(all), known: Object.fromEntries(known) as KnownFacets<Place>, removed };
}

function entriesOf(value: unknown, path: string, findings: Findings): [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) {
    findings.misshapen(path, `must be an object of facets, got ${shape(value)}`);
    return [];
  }
  const entries = Object.entries(value);
  if (entries.length <= EVENT_LIMITS.facets) return entries;
  findings.unusable(path, `must hold ${EVENT_LIMITS.facets} facets at most, got ${entries.length}`);
  return [];
}

function isDeletion(facet: unknown): boolean {
  return typeof facet === 'object' && facet !== null && '_deleted' in facet && facet._deleted === true;
}

/** Facets that name other things: `assertionsOf` reads no others, since all else follows from merged states. */
const LINKING_FACETS: Readonly<Partial<Record<FacetPlace, readonly string[]>>> = {
  run: ['parent'],
  job: ['lineage'],
  dataset: ['columnLineage', 'lineage'],
};

function isChosen(place: FacetPlace, name: string, { facets }: Findings): boolean {
  if (facets === 'linking') return LINKING_FACETS[place]?.includes(name) ?? false;
  return facets === 'all';
}

function understand(place: FacetPlace, name: string, facet: unknown, path: string, findings: Findings): unknown {
  const schemas: Readonly<Record<string, z.ZodType>> = FACET_SCHEMAS[place];
  const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (schema === undefined) {
    if (typeof facet !== 'object')
      findings.warn(path, `should be an object, got ${shape(facet)}: it is kept as it came`);
    return undefined;
  }
  const read = schema.safeParse(facet);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = (issue?.path ?? []).reduce<string>(
    (at, key) => (typeof key === 'number' ? entry(at, key) : member(at, String(key))),
    path,
  );
  findings.warn(where, `${issue?.message ?? 'breaks the schema'}: the facet is kept as it came, but not understood`);
  return undefined;
}
