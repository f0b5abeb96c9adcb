import { type EntityUpsert, Neo4jGraphStore, openDriver } from '#graph-store';
import { type ApiServer, openApiServer } from './api-server.js';
import { CONTEXT, datasets, type GraphBench, inBatches, ROWS } from './graph-rows.js';
import { defineBenchmark, type RatioCase, type Round } from './harness/index.js';
import { GRAPHQL_ROWS, graphqlBodies, send, settable } from './upsert-request.js';

interface Doors extends GraphBench {
  readonly server: ApiServer;
}

type Rows = readonly EntityUpsert[];
type Prepare = (env: Doors, rows: Rows) => () => Promise<void>;

const throughGraphql: Prepare = ({ server }, rows) => {
  const bodies = graphqlBodies(rows, GRAPHQL_ROWS.most);
  return async () => {
    for (const body of bodies) await send(`${server.url}/graphql`, body, 'application/json');
  };
};

const throughStore: Prepare = ({ store }, rows) => {
  const batches = inBatches(settable(rows));
  return async () => {
    for (const entities of batches) await store.write({ entities }, CONTEXT);
  };
};

/** @param editions of the same rows, written one after the other; the last one is timed */
function upsert(name: string, editions: readonly number[]): RatioCase<Doors> {
  const side = (of: string, prepare: Prepare) => async (round: Round<Doors>) => {
    const count = round.quick ? ROWS.quick : ROWS.full;
    const namespace = `${of}-${name.replace(' ', '-')}-${round.number}`;
    const steps = editions.map((edition) => prepare(round.env, datasets(namespace, count, edition)));
    const timed = steps.pop();
    for (const step of steps) await step();
    return round.time(count, async () => timed?.());
  };
  return {
    kind: 'ratio',
    name,
    unit: 'rows',
    target: { atLeast: 0.5 },
    sides: { ours: side('graphql', throughGraphql), baseline: side('store', throughStore) },
  };
}

export const benchmark = defineBenchmark<Doors>({
  id: 'P1',
  name: 'graphql-upsert',
  what: `Upsert of entities by GraphQL mutations of ${GRAPHQL_ROWS.most.toLocaleString('en-US')} rows each, one after the other, in comparison with the graph store alone with the same rows in batches of 5,000.`,
  setUp: async (environment) => {
    const server = await openApiServer(environment);
    const driver = openDriver(server.graph);
    environment.use({ [Symbol.asyncDispose]: () => driver.close() });
    return { server, driver, store: new Neo4jGraphStore(driver) };
  },
  cases: [upsert('fresh', [1]), upsert('all changed', [1, 2]), upsert('unchanged', [1, 1])],
});
