import { type LineageWay, parseUrn, type RunLineageSide, runLineageStep } from '#graph-schema';
import type { Ground } from './lineage-reach.js';
import { Check, DEFAULT_DEADLINE_MS, LINEAGE_DEFAULTS, waysOf } from './lineage-request.js';
import type { RunLineageWalk } from './run-lineage-types.js';

/** A walk over runs with its defaults, whose values are within their limits. */
export interface CheckedRunWalk {
  readonly urn: string;
  readonly ways: readonly LineageWay[];
  /** Stored edges from the start. */
  readonly maxSteps: number;
  readonly maxNodes: number;
  readonly maxEdges: number;
  readonly deadlineMs: number;
}

/** Stored edges of one hop over a version. */
export const STEPS_OF_HOP = 2;

const START_KINDS = ['dataset-version', 'run', 'dataset'];

/** @throws InputError that names everything that is wrong */
export function checkRunWalk(walk: RunLineageWalk): CheckedRunWalk {
  const { urn, direction, depth } = walk;
  const {
    maxNodes = LINEAGE_DEFAULTS.nodes,
    maxEdges = LINEAGE_DEFAULTS.edges,
    deadlineMs = DEFAULT_DEADLINE_MS,
  } = walk;
  const check = new Check();
  check.urn('urn', urn, START_KINDS);
  check.walk({ direction, depth, maxNodes, maxEdges, deadlineMs });
  check.finish();
  const maxSteps = depth === undefined ? Number.POSITIVE_INFINITY : depth * STEPS_OF_HOP;
  return { urn, ways: waysOf(direction), maxSteps, maxNodes, maxEdges, deadlineMs };
}

/**
 * What the parts of one walk have in common. Of a data set that is the version which was the latest, so that no part goes on from
 * another start than the one before it.
 */
export function askedByRuns({ ways, maxSteps }: CheckedRunWalk, start: string): readonly unknown[] {
  return ['runs', start, ways, String(maxSteps)];
}

export const sideOf = (urn: string): RunLineageSide => (parseUrn(urn).kind === 'run' ? 'RUN' : 'VERSION');

/** Runs and versions take turns, so the distance from the start tells the side. */
export function runGroundOf({ ways, maxSteps }: CheckedRunWalk, start: string): Ground {
  const sides = sideOf(start) === 'RUN' ? (['RUN', 'VERSION'] as const) : (['VERSION', 'RUN'] as const);
  return {
    ...{ ways, maxSteps },
    isShown: () => true,
    stepFrom: (step, way) => ({ statement: runLineageStep(sides[step % 2 === 0 ? 0 : 1], way), parameters: {} }),
  };
}
