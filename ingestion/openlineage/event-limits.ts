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

interface Place {
  readonly value: unknown;
  readonly depth: number;
  readonly key: string | number;
  readonly parent: Place | null;
}

/**
 * Whether an event keeps the bounds that hold for any JSON; the first breach is a fault. Does not recurse, so that a hostile one
 * can be looked at.
 */
export function isBounded(event: unknown, findings: Findings): boolean {
  const open: Place[] = [{ value: event, depth: 0, key: '', parent: null }];
  let values = 1;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, depth } = place;
    if (typeof value === 'string' && value.length > EVENT_LIMITS.textLength) {
      return breach(findings, place, `must have ${EVENT_LIMITS.textLength} characters at most, got ${value.length}`);
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= EVENT_LIMITS.depth) {
      return breach(findings, place, `is nested deeper than ${EVENT_LIMITS.depth} levels`);
    }
    const keys = Array.isArray(value) ? null : Object.keys(value);
    values += keys === null ? (value as unknown[]).length : keys.length;
    if (values > EVENT_LIMITS.values) {
      findings.unusable('', `must hold ${EVENT_LIMITS.values} values at most`);
      return false;
    }
    if (keys === null) {
      for (const [index, item] of (value as unknown[]).entries()) {
        open.push({ value: item, depth: depth + 1, key: index, parent: place });
      }
      continue;
    }
    for (const key of keys) {
      if (key.length > EVENT_LIMITS.keyLength) {
        return breach(findings, place, `has a key of ${key.length} characters, of ${EVENT_LIMITS.keyLength} at most`);
      }
      open.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1, key, parent: place });
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
