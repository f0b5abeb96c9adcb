import neo4j from 'neo4j-driver';
import { InputError, type InputProblem } from '#errors';
import {
  INGESTION_JOB_NAMESPACE,
  LINEAGE_LEVELS,
  type LineageLevel,
  type LineageViewName,
  type LineageWay,
  parseUrn,
  UrnSyntaxError,
} from '#graph-schema';
import {
  LINEAGE_DIRECTIONS,
  LINEAGE_KINDS,
  type LineageDirection,
  type LineageKind,
  type LineageView,
  type LineageWalk,
} from './lineage-types.js';
import { sortableInstant } from './lineage-validity.js';

export const LINEAGE_LIMITS = {
  nodes: 50_000,
  edges: 200_000,
  deadlineMs: 120_000,
  paths: 100,
  pathDepth: 100,
  filterValues: 100,
} as const;

export const DEFAULT_DEADLINE_MS = 10_000;

export const LINEAGE_DEFAULTS = { nodes: 1_000, edges: 5_000 } as const;

/** A view as the statements need it. */
export interface CheckedView {
  readonly name: LineageViewName;
  readonly parameters: { readonly at: string; readonly atTime: unknown } | Record<string, never>;
}

/** A walk with its defaults, whose values are within their limits. */
export interface CheckedWalk {
  readonly urn: string;
  readonly direction: LineageDirection;
  readonly ways: readonly LineageWay[];
  /** Stored edges from the start. */
  readonly maxSteps: number;
  /** Stored edges that make one hop over a data set. */
  readonly stepsOfHop: 1 | 2;
  readonly level: LineageLevel;
  readonly view: CheckedView;
  readonly kinds: readonly LineageKind[] | null;
  readonly namespaces: readonly string[] | null;
  readonly maxNodes: number;
  readonly maxEdges: number;
  readonly deadlineMs: number;
}

/** @throws InputError that names everything that is wrong */
export function checkWalk(walk: LineageWalk): CheckedWalk {
  const { level = 'DATASET', direction, depth, filter = {} } = walk;
  const {
    maxNodes = LINEAGE_DEFAULTS.nodes,
    maxEdges = LINEAGE_DEFAULTS.edges,
    deadlineMs = DEFAULT_DEADLINE_MS,
  } = walk;
  const check = new Check();
  check.oneOf('level', level, LINEAGE_LEVELS);
  check.walk({ direction, depth, maxNodes, maxEdges, deadlineMs });
  check.start(walk.urn, level);
  for (const kind of check.list('filter.kinds', filter.kinds)) check.oneOf('filter.kinds', kind, LINEAGE_KINDS);
  check.list('filter.namespaces', filter.namespaces);
  check.finish();
  const stepsOfHop = level === 'FIELD' ? 1 : 2;
  return {
    ...{ urn: walk.urn, direction, level, stepsOfHop, maxNodes, maxEdges, deadlineMs },
    ways: waysOf(direction),
    maxSteps: depth === undefined ? Number.POSITIVE_INFINITY : depth * stepsOfHop,
    view: checkedView(walk.view),
    kinds: filter.kinds ?? null,
    namespaces: filter.namespaces ?? null,
  };
}

export function waysOf(direction: LineageDirection): readonly LineageWay[] {
  return direction === 'BOTH' ? ['DOWNSTREAM', 'UPSTREAM'] : [direction];
}

/** @throws InputError for an instant that is none */
export function checkedView(view: LineageView = 'CURRENT'): CheckedView {
  if (view === 'CURRENT' || view === 'EVER') return { name: view, parameters: {} };
  if (typeof view !== 'object') throw InputError.one('BAD_USER_INPUT', 'view', 'must be CURRENT, EVER or { at }');
  const at = sortableInstant(view.at, 'view.at');
  const [year, month, day, hour, minute, second, nanosecond] = at.split(/\D/).map(Number) as number[];
  const atTime = new neo4j.types.DateTime(
    ...([year, month, day, hour, minute, second, nanosecond, 0] as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]),
  );
  return { name: 'AT', parameters: { at, atTime } };
}

/** The error of a start that does not exist in the view. */
export function nothingFound({ view }: Pick<CheckedWalk, 'view'>, field = 'urn'): InputError {
  const elsewhere = view.name === 'EVER' ? '' : ' in this view; EVER also shows what was deleted';
  return InputError.one('NOT_FOUND', field, `names nothing that exists${elsewhere}`);
}

/** Whether a walk shows a node. The urn tells its kind and its namespace, so no property is read of what is passed by. */
export function isShown({ level, kinds, namespaces }: CheckedWalk, urn: string): boolean {
  if (level !== 'JOB' && kinds === null && namespaces === null) return true;
  const [, urnKind, namespace = ''] = urn.split(':');
  if (level === 'JOB' && urnKind !== 'job') return false;
  if (kinds !== null && !kinds.some((kind) => isOfKind(kind, urnKind, namespace))) return false;
  return namespaces === null || namespaces.includes(decodeURIComponent(namespace));
}

function isOfKind(kind: LineageKind, urnKind: string | undefined, namespace: string): boolean {
  if (kind === 'IngestionUnit') return urnKind === 'job' && namespace === INGESTION_JOB_NAMESPACE;
  return urnKind === kind.toLowerCase();
}

const START_KINDS: Readonly<Record<LineageLevel, readonly string[]>> = {
  DATASET: ['dataset', 'job'],
  JOB: ['job'],
  FIELD: ['field', 'dataset'],
};

/** Collects what is wrong. */
export class Check {
  readonly #problems: InputProblem[] = [];

  oneOf(field: string, value: string, allowed: readonly string[]): void {
    if (!allowed.includes(value)) this.refuse(field, `must be one of ${allowed.join(', ')}`);
  }

  size(field: string, value: number, max: number): void {
    if (!Number.isSafeInteger(value) || value < 1 || value > max) {
      this.refuse(field, `must be a whole number from 1 to ${max}, got ${value}`);
    }
  }

  list<T>(field: string, values: readonly T[] | undefined): readonly T[] {
    if (values !== undefined && (values.length === 0 || values.length > LINEAGE_LIMITS.filterValues)) {
      this.refuse(field, `must hold from 1 to ${LINEAGE_LIMITS.filterValues} values, or be left out`);
    }
    return values ?? [];
  }

  /** The arguments that all walks have. */
  walk(asked: {
    readonly direction: string;
    readonly depth: number | undefined;
    readonly maxNodes: number;
    readonly maxEdges: number;
    readonly deadlineMs: number;
  }): void {
    this.oneOf('direction', asked.direction, LINEAGE_DIRECTIONS);
    if (asked.depth !== undefined) this.size('depth', asked.depth, Number.MAX_SAFE_INTEGER / 2);
    this.size('maxNodes', asked.maxNodes, LINEAGE_LIMITS.nodes);
    this.size('maxEdges', asked.maxEdges, LINEAGE_LIMITS.edges);
    this.size('deadlineMs', asked.deadlineMs, LINEAGE_LIMITS.deadlineMs);
  }

  start(urn: string, level: LineageLevel, field = 'urn'): void {
    this.urn(field, urn, START_KINDS[level] ?? [], ` at level ${level}`);
  }

  /** @param where ends the sentence that says what it must be */
  urn(field: string, urn: string, kinds: readonly string[], where = ''): void {
    try {
      if (kinds.includes(parseUrn(urn).kind)) return;
      this.refuse(field, `must be the urn of a ${kinds.join(' or a ')}${where}`);
    } catch (error) {
      if (!(error instanceof UrnSyntaxError)) throw error;
      this.refuse(field, `is no urn: ${error.message}`);
    }
  }

  refuse(field: string, message: string): void {
    this.#problems.push({ code: 'BAD_USER_INPUT', field, message });
  }

  /** @throws InputError */
  finish(): void {
    const [first, ...others] = this.#problems;
    if (first !== undefined) throw new InputError([first, ...others]);
  }
}
