import { type LineageWay, lineageStep } from '#graph-schema';
import { type CheckedWalk, isShown } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';

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
  walk: CheckedWalk,
  starts: readonly string[],
  { isFull, isLate }: ReachLimits,
): Promise<Reach> {
  const cones = walk.ways.map((way) => new Cone(read, walk, way, starts));
  const seen = new Set(starts);
  // The start is shown whatever the filter says.
  const levels: string[][] = [[...starts].sort()];
  for (let step = 1; step <= walk.maxSteps && cones.some(({ frontier }) => frontier.length > 0); step += 1) {
    if (isFull(levels)) return { levels, stopped: 'full', lastFrontiers: frontiersOf(cones) };
    const found = await Promise.all(cones.map((cone) => cone.expand(isLate)));
    if (found.includes(null)) return { levels, stopped: 'deadline', lastFrontiers: frontiersOf(cones) };
    const level: string[] = [];
    for (const urn of found.flatMap((urns) => urns ?? [])) {
      if (seen.has(urn)) continue;
      seen.add(urn);
      if (isShown(walk, urn)) level.push(urn);
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
  readonly #statement: string;
  readonly #parameters: Readonly<Record<string, unknown>>;
  readonly #visited: Set<string>;

  constructor(read: BoundedRead, { level, view }: CheckedWalk, way: LineageWay, starts: readonly string[]) {
    this.way = way;
    this.frontier = starts;
    this.#read = read;
    this.#statement = lineageStep(level, view.name, way);
    this.#parameters = view.parameters;
    this.#visited = new Set(starts);
  }

  /** The nodes one step further out; null when time is up, and then nothing of them counts. */
  async expand(isLate: () => boolean): Promise<readonly string[] | null> {
    const next: string[] = [];
    for (let at = 0; at < this.frontier.length; at += STATEMENT_URNS) {
      if (isLate()) return null;
      const urns = this.frontier.slice(at, at + STATEMENT_URNS);
      const [row] = await this.#read.run<{ urns: string[] }>(this.#statement, { ...this.#parameters, urns });
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
