import { type LineageWay, lineageStep } from '#graph-schema';
import { type CheckedWalk, isShown } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';

/** What a walk goes over, and how it takes a step. */
export interface Ground {
  readonly ways: readonly LineageWay[];
  /** Stored edges from the start. */
  readonly maxSteps: number;
  readonly isShown: (urn: string) => boolean;
  /** The statement that gives the neighbours of nodes so many steps from the start; its parameter `urns` is added. */
  readonly stepFrom: (
    step: number,
    way: LineageWay,
  ) => { readonly statement: string; readonly parameters: Readonly<Record<string, unknown>> };
}

export function groundOf(walk: CheckedWalk): Ground {
  const { ways, maxSteps, level, view } = walk;
  return {
    ...{ ways, maxSteps },
    isShown: (urn) => isShown(walk, urn),
    stepFrom: (_, way) => ({ statement: lineageStep(level, view.name, way), parameters: view.parameters }),
  };
}

/** What lies within some steps of the start. */
export interface Reach {
  /** Urns by their distance in stored edges, each level sorted; what the walk does not show is left out. */
  readonly levels: readonly (readonly string[])[];
  /** Why deeper levels are missing. */
  readonly stopped: 'full' | 'deadline' | null;
  /** The nodes from which the last level was reached, by the way that led there. */
  readonly lastFrontiers: ReadonlyMap<LineageWay, readonly string[]>;
}

export interface ReachLimits {
  /** Asked after each level. */
  readonly isFull: (levels: readonly (readonly string[])[]) => boolean;
  readonly isLate: () => boolean;
}

/** Nodes of one statement: enough to make the round trip cheap, and few enough to look at the clock in between. */
const STATEMENT_URNS = 2_000;

/**
 * Goes out from the start level by level. A statement expands the whole frontier and returns each neighbour once, so the cost
 * is that of the nodes and edges that are reached, and a walk that has enough reads no further. Unlike the one statement of
 * `readNear` this knows the order of the nodes before it has seen all of them.
 */
export async function reach(
  read: BoundedRead,
  ground: Ground,
  starts: readonly string[],
  { isFull, isLate }: ReachLimits,
): Promise<Reach> {
  const cones = ground.ways.map((way) => new Cone(read, ground, way, starts));
  const seen = new Set(starts);
  // The start is shown whatever the filter says.
  const levels: string[][] = [[...starts].sort()];
  for (let step = 1; step <= ground.maxSteps && cones.some(({ frontier }) => frontier.length > 0); step += 1) {
    if (isFull(levels)) return { levels, stopped: 'full', lastFrontiers: frontiersOf(cones) };
    const found = await Promise.all(cones.map((cone) => cone.expand(step - 1, isLate)));
    if (found.includes(null)) return { levels, stopped: 'deadline', lastFrontiers: frontiersOf(cones) };
    const level: string[] = [];
    for (const urn of found.flatMap((urns) => urns ?? [])) {
      if (seen.has(urn)) continue;
      seen.add(urn);
      if (ground.isShown(urn)) level.push(urn);
    }
    levels.push(level.sort());
  }
  return { levels, stopped: null, lastFrontiers: frontiersOf(cones) };
}

const frontiersOf = (cones: readonly Cone[]) => new Map(cones.map(({ way, before }) => [way, before]));

/** All that lies on one side of the start. */
class Cone {
  readonly way: LineageWay;
  frontier: readonly string[];
  /** The frontier of before the last step. */
  before: readonly string[] = [];
  readonly #read: BoundedRead;
  readonly #ground: Ground;
  readonly #visited: Set<string>;

  constructor(read: BoundedRead, ground: Ground, way: LineageWay, starts: readonly string[]) {
    this.way = way;
    this.frontier = starts;
    this.#read = read;
    this.#ground = ground;
    this.#visited = new Set(starts);
  }

  /** The nodes one step further out than `step`; null when time is up, and then nothing of them counts. */
  async expand(step: number, isLate: () => boolean): Promise<readonly string[] | null> {
    const { statement, parameters } = this.#ground.stepFrom(step, this.way);
    const next: string[] = [];
    for (let at = 0; at < this.frontier.length; at += STATEMENT_URNS) {
      if (isLate()) return null;
      const urns = this.frontier.slice(at, at + STATEMENT_URNS);
      const [row] = await this.#read.run<{ urns: string[] }>(statement, { ...parameters, urns });
      for (const urn of row?.urns ?? []) {
        if (this.#visited.has(urn)) continue;
        this.#visited.add(urn);
        next.push(urn);
      }
    }
    this.before = this.frontier;
    this.frontier = next;
    return next;
  }
}
