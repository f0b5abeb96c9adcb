import { entry, type Findings, member } from './findings.js';

/** Bounds of one event. The largest real ones known have 220 KB, some hundred columns and 20 levels. */
export const EVENT_LIMITS = {
  /** Levels of nesting: deeper ones would exhaust the stack of those who walk them. */
  depth: 64,
  /** Values of all kinds, counted at every level. */
  values: 500_000,
  /** Characters of one text, such as a query or a stack trace. */
  textLength: 4 * 1024 * 1024,
  /** Characters of one key, which is the name of a facet or of a column. */
  keyLength: 2_000,
  /** Characters of a namespace, a name, a run id. */
  nameLength: 2_000,
  /** Characters of a urn: Neo4j refuses index keys of more than about 8,000 bytes. */
  urnLength: 7_500,
  /** Inputs and outputs, each. */
  datasets: 10_000,
  /** Facets of one job, run or data set. */
  facets: 1_000,
  /** Edges between columns that one event may tell. */
  columnEdges: 20_000,
} as const;

/** Where a list or an object stands. Other values get no place, as they are most of an event: it is made when one is at fault. */
interface Place {
  readonly value: object;
  readonly depth: number;
  readonly key: string | number;
  readonly parent: Place | null;
}

/**
 * Whether an event keeps the bounds that hold for any JSON; the first breach is a fault. Does not recurse, so that a hostile one
 * can be looked at.
 */
export function isBounded(event: object, findings: Findings): boolean {
  const open: Place[] = [{ value: event, depth: 0, key: '', parent: null }];
  let values = 1;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value: holder, depth } = place;
    if (depth >= EVENT_LIMITS.depth) {
      return breach(findings, place, `is nested deeper than ${EVENT_LIMITS.depth} levels`);
    }
    const keys = Array.isArray(holder) ? null : Object.keys(holder);
    const size = keys === null ? (holder as unknown[]).length : keys.length;
    values += size;
    if (values > EVENT_LIMITS.values) {
      findings.unusable('', `must hold ${EVENT_LIMITS.values} values at most`);
      return false;
    }
    for (let index = 0; index < size; index += 1) {
      const key = keys?.[index] ?? index;
      if (typeof key === 'string' && key.length > EVENT_LIMITS.keyLength) {
        return breach(findings, place, `has a key of ${key.length} characters, of ${EVENT_LIMITS.keyLength} at most`);
      }
      const value = (holder as Readonly<Record<string | number, unknown>>)[key];
      if (typeof value === 'string' && value.length > EVENT_LIMITS.textLength) {
        const rule = `must have ${EVENT_LIMITS.textLength} characters at most, got ${value.length}`;
        return breach(findings, { value: holder, depth: depth + 1, key, parent: place }, rule);
      }
      if (typeof value === 'object' && value !== null) open.push({ value, depth: depth + 1, key, parent: place });
    }
  }
  return true;
}

function breach(findings: Findings, place: Place, rule: string): false {
  findings.unusable(pathOf(place), rule);
  return false;
}

/** The first levels are enough to find the place. */
const PATH_LEVELS = 8;

function pathOf(place: Place): string {
  const keys: (string | number)[] = [];
  for (let at: Place | null = place; at !== null && at.parent !== null; at = at.parent) keys.unshift(at.key);
  return keys
    .slice(0, PATH_LEVELS)
    .reduce<string>((path, key) => (typeof key === 'number' ? entry(path, key) : member(path, key)), '');
}
