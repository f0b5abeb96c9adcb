import { performance } from 'node:perf_hooks';
import neo4j, { type Driver } from 'neo4j-driver';
import { InputError } from '#errors';
import { JOBS_OF_RUNS, type LineageEdgeDetail, type LineageLevel, lineagePaths } from '#graph-schema';
import { type PlacedAnswer, readAnswer, readStarts } from './lineage-answer.js';
import { askedBy, continuationsOf, decodeContinuation } from './lineage-continuation.js';
import { readDiff } from './lineage-diff.js';
import { endsOfRow } from './lineage-edges.js';
import { readEverything } from './lineage-everything.js';
import { readDrawnByHand } from './lineage-manual.js';
import { checkRunUrn, readMomentOfRun } from './lineage-moment.js';
import { rollUp } from './lineage-namespaces.js';
import {
  Check,
  type CheckedWalk,
  checkedView,
  checkWalk,
  DEFAULT_DEADLINE_MS,
  LINEAGE_LIMITS,
  nothingFound,
} from './lineage-request.js';
import { type BoundedRead, boundedRead } from './lineage-session.js';
import type {
  LineageAnswer,
  LineageCallOptions,
  LineageDiff,
  LineageDiffQuery,
  LineageEdge,
  LineageEdgeOf,
  LineageImpact,
  LineageNamespaces,
  LineageNamespacesQuery,
  LineageNode,
  LineagePath,
  LineagePathsQuery,
  LineageQuery,
  LineageReader,
  LineageWalk,
} from './lineage-types.js';
import { edgeFromLegs } from './lineage-validity.js';
import { readRunLineage } from './run-lineage-answer.js';
import { checkRunWalk } from './run-lineage-request.js';
import type { JobOfRun, RunLineage, RunLineageReader, RunLineageWalk } from './run-lineage-types.js';

/** Of the deadline, what may be spent on finding nodes; the rest is for reading what was found. */
const SHARE_OF_REACH = 2 / 3;

export interface Neo4jLineageReaderOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Both readers on Neo4j. Works on Community Edition. */
export class Neo4jLineageReader implements LineageReader, RunLineageReader {
  readonly #driver: Driver;
  readonly #now: () => number;

  constructor(driver: Driver, { now = () => performance.now() }: Neo4jLineageReaderOptions = {}) {
    this.#driver = driver;
    this.#now = now;
  }

  async walk<Detail extends LineageEdgeDetail = 'WHOLE'>(
    request: LineageWalk,
    detail = 'WHOLE' as Detail,
  ): Promise<LineageAnswer<LineageEdgeOf[Detail]>> {
    const { nodes, edges, truncated } = await this.#answer(checkWalk(request), request, detail);
    return { nodes, edges, truncated };
  }

  async impact(request: Omit<LineageWalk, 'maxEdges'>): Promise<LineageImpact> {
    const walk = checkWalk(request);
    const { nodes, told, truncated } = await this.#answer(walk, request, null);
    const cursor = continuationsOf(askedBy(walk));
    const steps = new Map(told.map(({ urn, step }) => [urn, step]));
    const rows = nodes.map((record) => {
      const { urn } = record;
      return { cursor: cursor({ step: steps.get(urn) ?? 0, urn, edge: null }), record };
    });
    return { rows, truncated };
  }

  async paths(query: LineagePathsQuery): Promise<readonly LineagePath[]> {
    const { from, to, level = 'DATASET', depth = 30, limit = 10, deadlineMs = DEFAULT_DEADLINE_MS, signal } = query;
    const check = new Check();
    check.oneOf('level', level, ['DATASET', 'FIELD']);
    check.start(from, level, 'from');
    check.start(to, level, 'to');
    if (from === to) check.refuse('to', 'must differ from `from`');
    check.size('depth', depth, LINEAGE_LIMITS.pathDepth);
    check.size('limit', limit, LINEAGE_LIMITS.paths);
    check.size('deadlineMs', deadlineMs, LINEAGE_LIMITS.deadlineMs);
    check.finish();
    const view = checkedView(query.view);
    const statement = lineagePaths(level, view.name, level === 'FIELD' ? depth : depth * 2);
    return boundedRead(this.#driver, { deadlineMs, signal }, async (read) => {
      const parameters = { ...view.parameters, from, to, limit: neo4j.int(limit) };
      const rows = await read.run<PathRow>(statement, parameters);
      if (rows.length === 0) {
        for (const [field, urn] of Object.entries({ from, to })) {
          if ((await readStarts(read, { urn, level, view })) === null) throw nothingFound({ view }, field);
        }
      }
      return rows.map((row) => pathFromRow(level, row));
    });
  }

  async diff<Detail extends LineageEdgeDetail = 'WHOLE'>(
    { from, to, signal, ...query }: LineageDiffQuery,
    detail = 'WHOLE' as Detail,
  ): Promise<LineageDiff<LineageEdgeOf[Detail]>> {
    const walks = [checkWalk({ ...query, view: from }), checkWalk({ ...query, view: to })] as const;
    const { deadlineMs } = walks[0];
    const isLate = this.#lateAfter(deadlineMs);
    return boundedRead(this.#driver, { deadlineMs, signal }, async (read) => {
      const diff = await readDiff(read, walks, { detail, isLate });
      if (diff === null) throw InputError.one('NOT_FOUND', 'urn', 'names nothing that exists in one of the views');
      return diff;
    });
  }

  async namespaces(query: LineageNamespacesQuery): Promise<LineageNamespaces> {
    return rollUp(await this.#answer(checkWalk({ ...query, level: 'DATASET' }), { signal: query.signal }, 'ENDS'));
  }

  async runs(request: RunLineageWalk): Promise<RunLineage> {
    const walk = checkRunWalk(request);
    const { deadlineMs } = walk;
    const isLate = this.#lateAfter(deadlineMs);
    return boundedRead(this.#driver, { deadlineMs, signal: request.signal }, (read) =>
      readRunLineage(read, walk, { after: request.after, isLate }),
    );
  }

  async jobsOfRuns(urns: readonly string[]): Promise<ReadonlyMap<string, readonly JobOfRun[]>> {
    if (urns.length === 0) return new Map();
    const rows = await boundedRead(this.#driver, { deadlineMs: DEFAULT_DEADLINE_MS, signal: undefined }, (read) =>
      read.run<{ urn: string; job: string; since: number }>(JOBS_OF_RUNS, { urns }),
    );
    const jobs = new Map<string, JobOfRun[]>();
    for (const { urn, job, since } of rows) {
      const known = jobs.get(urn) ?? [];
      jobs.set(urn, [...known, { job, since: new Date(since) }]);
    }
    return jobs;
  }

  async *everything(request: LineageQuery & LineageCallOptions): AsyncGenerator<readonly LineageNode[]> {
    const walk = checkWalk(request);
    const isLate = this.#lateAfter(walk.deadlineMs);
    yield* readEverything(this.#driver, walk, { signal: request.signal, isLate });
  }

  isDrawnByHand(edges: readonly Pick<LineageEdge, 'from' | 'to'>[]): Promise<readonly boolean[]> {
    const options = { deadlineMs: DEFAULT_DEADLINE_MS, signal: undefined };
    return boundedRead(this.#driver, options, (read) => readDrawnByHand(read, edges));
  }

  async momentOfRun(
    urn: string,
    { deadlineMs = DEFAULT_DEADLINE_MS, signal }: LineageCallOptions = {},
  ): Promise<string> {
    checkRunUrn(urn);
    return boundedRead(this.#driver, { deadlineMs, signal }, (read) => readMomentOfRun(read, urn));
  }

  async #answer<Detail extends LineageEdgeDetail>(
    walk: CheckedWalk,
    request: Pick<LineageWalk, 'after' | 'signal'>,
    detail: Detail | null,
  ): Promise<PlacedAnswer<LineageEdgeOf[Detail]>> {
    const after = request.after === undefined ? undefined : decodeContinuation(askedBy(walk), request.after);
    const isLate = this.#lateAfter(walk.deadlineMs);
    return boundedRead(
      this.#driver,
      { deadlineMs: walk.deadlineMs, signal: request.signal },
      async (read: BoundedRead) => {
        const answer = await readAnswer(read, walk, { after, detail, isLate });
        if (answer === null) throw nothingFound(walk);
        return answer;
      },
    );
  }

  #lateAfter(deadlineMs: number): () => boolean {
    const until = this.#now() + deadlineMs * SHARE_OF_REACH;
    return () => this.#now() > until;
  }
}

interface PathRow {
  readonly urns: readonly string[];
  readonly vias: readonly string[];
  readonly legs: readonly string[];
}

function pathFromRow(level: LineageLevel, { urns, vias, legs }: PathRow): LineagePath {
  const edges = legs.map((leg, index) => {
    const [from = '', to = ''] = urns.slice(index, index + 2);
    return edgeFromLegs(endsOfRow(level, { from, to, via: vias[index] ?? '' }), [leg]);
  });
  return { urns, edges };
}
