import neo4j, { type Driver } from 'neo4j-driver';
import {
  formatUrn,
  LINEAGE_LEVELS,
  LINEAGE_NODES,
  type LineageEdgeDetail,
  type LineageWay,
  lineageEdges,
  lineageHub,
  lineageNear,
  lineageStep,
} from '#graph-schema';
import { checkedView } from './lineage-request.js';
import { boundedRead } from './lineage-session.js';

/** The depth that walks have where none is asked for, in hops over data sets. */
const USUAL_DEPTH = 3;

const WAYS: readonly (readonly LineageWay[])[] = [['DOWNSTREAM'], ['UPSTREAM'], ['DOWNSTREAM', 'UPSTREAM']];
const VIEWS = [checkedView('CURRENT'), checkedView({ at: '2024-01-01T00:00:00Z' }), checkedView('EVER')];

/** Longest time of one statement. */
const DEADLINE_MS = 10_000;

interface Form {
  readonly statement: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Lets Neo4j plan the statements of usual walks, the most usual first, before somebody waits for them: each form takes it 0.1 to 1
 * second the first time. The statements are run, since EXPLAIN leaves a quarter of that work undone, on urns that nothing has.
 * Neo4j keeps a plan for each size of a list and each length of a text, by powers of ten, so the parameters are as long as real ones.
 * It plans again once the graph has grown much.
 *
 * @returns how many statements there are
 * @throws the reason of the signal, or AppError STORE_UNAVAILABLE, TIMEOUT
 */
export async function warmUpLineage(driver: Driver, { signal }: { readonly signal: AbortSignal }): Promise<number> {
  let count = 0;
  for (const { statement, parameters } of forms()) {
    await boundedRead(driver, { deadlineMs: DEADLINE_MS, signal }, ({ run }) => run(statement, parameters));
    count += 1;
  }
  return count;
}

function* forms(): Generator<Form> {
  for (const view of VIEWS) {
    for (const level of LINEAGE_LEVELS) {
      const maxSteps = level === 'FIELD' ? USUAL_DEPTH : 2 * USUAL_DEPTH;
      for (const ways of WAYS) {
        const parameters = { ...view.parameters, urn: nowhere(0), limit: neo4j.int(1) };
        const form = (detail: LineageEdgeDetail, steps: number | null): Form => ({
          statement: lineageNear({ level, view: view.name, ways, detail, maxSteps: steps }),
          parameters,
        });
        yield form('WHOLE', maxSteps);
        if (view.name !== 'CURRENT') continue;
        // Lists go to the end unless told otherwise, and tell nothing of edges.
        for (const steps of [maxSteps, null]) yield form('ENDS', steps);
        yield form('WHOLE', null);
      }
    }
  }
  for (const size of [30, 300]) yield* formsOfParts(Array.from({ length: size }, (_, index) => nowhere(index)));
}

/** What a walk over data sets takes when it comes in parts. */
function* formsOfParts(urns: readonly string[]): Generator<Form> {
  const places = Object.fromEntries(urns.map((urn, index) => [urn, index]));
  const beginning = { afterFrom: '', afterTo: '', afterVia: '', afterPlace: 0, first: 0, limit: neo4j.int(1) };
  yield { statement: LINEAGE_NODES, parameters: { urns } };
  for (const way of ['DOWNSTREAM', 'UPSTREAM'] as const) {
    yield { statement: lineageStep('DATASET', 'CURRENT', way), parameters: { urns } };
    yield { statement: lineageHub('DATASET', way), parameters: { urns } };
    for (const hasEarlier of [false, true]) {
      const statement = lineageEdges({ level: 'DATASET', view: 'CURRENT', detail: 'WHOLE', way, hasEarlier });
      yield { statement, parameters: { ...beginning, urns, places } };
    }
  }
}

/** As long as most urns are. */
const nowhere = (index: number): string => formatUrn('warm-up', ['nucleus', 'names nothing', String(index)]);
