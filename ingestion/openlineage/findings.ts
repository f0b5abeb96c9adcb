/** One thing that is wrong with an event. */
export interface Finding {
  /** Where, for instance `inputs[0].name`; empty for the event as a whole. */
  readonly path: string;
  /** The rule that is broken, and the shape of what was found; never a long text of it. */
  readonly rule: string;
}

/** 400: it is not of the shape of an event. 422: the shape is right, but a value cannot be used. */
export type RefusalStatus = 400 | 422;

/** What a client needs to find its mistake; a hostile event could have a million of them. */
const MOST = 50;

/**
 * Which facets an event is read for: all; those that name other things, from which its lineage follows; or none, where it only
 * matters whether the event can be taken. To understand them is most of the work of reading.
 */
export type FacetChoice = 'all' | 'linking' | 'none';

/** What is found wrong while an event is read: faults refuse it, warnings go with it. */
export class Findings {
  readonly facets: FacetChoice;
  readonly faults: Finding[] = [];
  readonly warnings: Finding[] = [];
  status: RefusalStatus = 422;

  constructor(facets: FacetChoice) {
    this.facets = facets;
  }

  /** The value is of another shape than the specification says. */
  misshapen(path: string, rule: string): void {
    this.status = 400;
    this.#add(this.faults, path, rule);
  }

  /** The shape is right, the value is unusable. */
  unusable(path: string, rule: string): void {
    this.#add(this.faults, path, rule);
  }

  warn(path: string, rule: string): void {
    this.#add(this.warnings, path, rule);
  }

  #add(list: Finding[], path: string, rule: string): void {
    if (list.length < MOST) list.push({ path, rule });
  }
}

const PLAIN_KEY = /^[A-Za-z_][\w-]{0,63}$/;

/** The path of a member: `facets.schema`, or `facets["odd key"]` where a reader could not tell the key from the path. */
export function member(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key.slice(0, 64))}]`;
  return path === '' ? key : `${path}.${key}`;
}

export function entry(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** What a value looks like, in words that may stand in an answer. */
export function shape(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
