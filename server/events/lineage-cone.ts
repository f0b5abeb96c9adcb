import { AppError, InputError } from '#errors';
import {
  type Change,
  type ChangeLog,
  type LineageAnswer,
  type LineageDirection,
  type LineageEdge,
  type LineageReader,
  stepsAlong,
} from '#graph-store';

/** The largest cone that is watched. */
const CONE_LIMITS = { nodes: 10_000, edges: 50_000 } as const;

/** Births of edges that are remembered; past that those are forgotten that lie behind the reader. */
const MOST_BIRTHS = 100_000;

/** Changes to one read of the log. */
const PAGE = 500;

export interface ConeRequest {
  readonly urn: string;
  readonly direction: LineageDirection;
  /** Hops over data sets; undefined is all. */
  readonly depth: number | undefined;
}

export interface ConeSources {
  readonly lineage: Pick<LineageReader, 'walk'>;
  readonly log: Pick<ChangeLog, 'head' | 'read'>;
}

/** The nodes of the cone after a change. */
export type MembersAt = (sequence: number) => ReadonlySet<string>;

type Ends = Pick<LineageEdge, 'kind' | 'from' | 'to'>;

/** A cone as it was after each change from one position of the log to another. */
interface KnownCone {
  /** Whether an edge that has just appeared may bring something in, so that the cone must be read anew. */
  readonly touches: (edge: Ends) => boolean;
  readonly has: (urn: string) => boolean;
  readonly membersAt: MembersAt;
  upTo: number;
}

/**
 * What lies in the cone of a node after each change of the log: all that is reached over edges of lineage which have appeared by then,
 * whether or not they are valid any more. Edges never leave that cone (ADR 0011), so what there is now, without the edges that the
 * log shows to be younger, is what there was.
 */
export class LineageCone {
  readonly #request: ConeRequest;
  readonly #sources: ConeSources;
  /** When edges of lineage have appeared, as far as the log was read: behind `from`, and up to `to`. */
  #births = new Map<string, number>();
  #read: { from: number; to: number } | undefined;
  #known: KnownCone | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(request: ConeRequest, sources: ConeSources) {
    this.#request = request;
    this.#sources = sources;
  }

  /**
   * @param changes consecutive ones
   * @throws InputError NOT_FOUND for a start that does not exist, BAD_USER_INPUT for a cone that is too large
   * @throws AppError as LineageReader and ChangeLog
   */
  membersDuring(changes: readonly Change[]): Promise<MembersAt> {
    const [first, last] = [changes[0], changes.at(-1)];
    if (first === undefined || last === undefined) throw new RangeError('no changes to look at');
    const work = this.#turn.then(() => this.#cover(first.sequence - 1, last.sequence));
    this.#turn = work.catch(() => undefined);
    return work;
  }

  async #cover(from: number, upTo: number): Promise<MembersAt> {
    if (this.#read !== undefined && from < this.#read.from) this.#forget();
    this.#read ??= { from, to: from };
    if (this.#births.size > MOST_BIRTHS) this.#forgetUpTo(from);
    const known = this.#known;
    if (known !== undefined && upTo > known.upTo && (await this.#grows(known, upTo))) this.#known = undefined;
    this.#known ??= await this.#load();
    return this.#known.membersAt;
  }

  #forget(): void {
    this.#births = new Map();
    this.#read = undefined;
    this.#known = undefined;
  }

  /** What is older than all that is asked for counts as having been there from the beginning. */
  #forgetUpTo(from: number): void {
    for (const [key, at] of this.#births) if (at <= from) this.#births.delete(key);
    if (this.#read !== undefined) this.#read.from = from;
  }

  /** Reads the log on. @returns whether the cone may have grown, or lost a node for good */
  async #grows(known: KnownCone, upTo: number): Promise<boolean> {
    const seen = await this.#readLog(known.upTo, upTo);
    if (seen.edges.some((edge) => known.touches(edge)) || seen.purged.some((urn) => known.has(urn))) return true;
    known.upTo = upTo;
    return false;
  }

  async #load(): Promise<KnownCone> {
    // What is committed by now is in the walk; what comes while it goes on may be, and so the log must be read behind it.
    const before = await this.#sources.log.head();
    const { nodes, edges } = await readCone(this.#request, this.#sources);
    const head = await this.#sources.log.head();
    await this.#readLog(this.#read?.to ?? before, head);
    const listed = new Set(nodes.map((node) => node.urn));
    const there = new Set(edges.map(keyOf));
    const touches = (edge: Ends) => (listed.has(edge.from) || listed.has(edge.to)) && !there.has(keyOf(edge));
    const late = [...this.#births].filter(([key, at]) => at > before && touches(endsOf(key))).map(([, at]) => at);
    return {
      touches,
      has: (of) => listed.has(of),
      membersAt: membersOf(this.#request, edges, this.#births),
      upTo: Math.min(head, ...late.map((at) => at - 1)),
    };
  }

  async #readLog(after: number, upTo: number): Promise<{ edges: Ends[]; purged: string[] }> {
    const edges: Ends[] = [];
    const purged: string[] = [];
    for (let at = after; at < upTo; ) {
      const changes = await this.#sources.log.read({ after: at, upTo, limit: PAGE });
      if (changes.length === 0) throw new Error(`the change log ends at ${at}, below its head ${upTo}`);
      for (const { sequence, items } of changes) {
        at = sequence;
        for (const { operation, kind, urn, to } of items) {
          if (operation === 'purged') purged.push(urn);
          if (operation !== 'created' || to === undefined || !isLineage(kind)) continue;
          const edge = { kind, from: urn, to };
          edges.push(edge);
          this.#births.set(keyOf(edge), sequence);
        }
      }
    }
    if (this.#read !== undefined) this.#read.to = Math.max(this.#read.to, upTo);
    return { edges, purged };
  }
}

/**
 * All that has ever been in a cone.
 *
 * @throws InputError NOT_FOUND for a start that does not exist, BAD_USER_INPUT for a cone that is too large
 * @throws AppError TIMEOUT, STORE_UNAVAILABLE
 */
export async function readCone(
  { urn, direction, depth }: ConeRequest,
  { lineage }: Pick<ConeSources, 'lineage'>,
): Promise<Pick<LineageAnswer, 'nodes' | 'edges'>> {
  const { nodes: maxNodes, edges: maxEdges } = CONE_LIMITS;
  const { truncated, ...cone } = await lineage.walk({ urn, direction, depth, view: 'EVER', maxNodes, maxEdges });
  if (truncated === null) return cone;
  if (truncated.reason === 'deadline') throw new AppError('TIMEOUT', 'the cone could not be read in time');
  throw InputError.one(
    'BAD_USER_INPUT',
    'depth',
    `takes in more than ${maxNodes} nodes or ${maxEdges} edges, the most that can be watched: ask for less`,
  );
}

/** Kinds of link between data sets and jobs. */
export const isLineage = (kind: string): kind is 'FEEDS' | 'PRODUCES' => kind === 'FEEDS' || kind === 'PRODUCES';

const keyOf = ({ kind, from, to }: Ends): string => `${kind} ${from} ${to}`;

function endsOf(key: string): Ends {
  const [kind = '', from = '', to = ''] = key.split(' ');
  return { kind: kind as Ends['kind'], from, to };
}

/** Stored edges of one hop over a data set. */
const STEPS_OF_HOP = 2;

function membersOf(
  { urn, direction, depth }: ConeRequest,
  edges: readonly LineageEdge[],
  births: ReadonlyMap<string, number>,
): MembersAt {
  const born = edges.map((edge) => ({ edge, at: births.get(keyOf(edge)) ?? 0 }));
  const moments = [...new Set(born.map(({ at }) => at))].sort((a, b) => a - b);
  const maxSteps = depth === undefined ? Number.POSITIVE_INFINITY : depth * STEPS_OF_HOP;
  let latest: { moment: number; members: ReadonlySet<string> } | undefined;
  return (sequence) => {
    const moment = moments.findLast((at) => at <= sequence) ?? 0;
    if (latest?.moment === moment) return latest.members;
    const there = born.filter(({ at }) => at <= moment).map(({ edge }) => edge);
    const members = new Set([urn]);
    for (const way of ['DOWNSTREAM', 'UPSTREAM'] as const) {
      if (direction !== 'BOTH' && direction !== way) continue;
      for (const of of stepsAlong(urn, there, way, maxSteps).keys()) members.add(of);
    }
    latest = { moment, members };
    return members;
  };
}
