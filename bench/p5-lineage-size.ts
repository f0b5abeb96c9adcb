import { openDriver } from '#graph-store';
import { type ApiServer, openApiServer } from './api-server.js';
import { defineBenchmark, percentile, type Round } from './harness/index.js';
import { datasetOf, type LineageCatalog, reachableCatalog, writeCatalog } from './lineage-catalog.js';
import { walkByGraphql } from './lineage-walk.js';

/** Data sets and jobs, half of each. */
const SIZES = { large: 20_000, small: 2_000 };
const MOST = { maxNodes: 20_000, maxEdges: 60_000 };
/** Walks of one side in a round. */
const WALKS = { large: 5, small: 20 };
/** Before the first round. */
const WARM_UP_WALKS = { large: 10, small: 100 };

type Size = keyof typeof SIZES;

interface Lineage {
  readonly server: ApiServer;
  readonly catalogs: Readonly<Record<Size, LineageCatalog>>;
}

/** @throws Error when the walk does not meet all there is */
async function walk({ server, catalogs }: Lineage, size: Size): Promise<number> {
  const startedAt = performance.now();
  const urn = datasetOf(catalogs[size], 0);
  const { nodes } = await walkByGraphql(server.url, { urn, depth: null, ...MOST });
  // The job that writes the first data set lies upstream of it.
  if (nodes !== SIZES[size] - 1) throw new Error(`${nodes} nodes were met instead of ${SIZES[size] - 1}`);
  return performance.now() - startedAt;
}

async function walks(lineage: Lineage, size: Size, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let index = 0; index < count; index += 1) taken.push(await walk(lineage, size));
  return taken;
}

const side =
  (size: Size) =>
  async ({ env, quick }: Round<Lineage>) => ({
    count: 1,
    durationMs: percentile(await walks(env, size, quick ? 2 : WALKS[size]), 50),
  });

export const benchmark = defineBenchmark<Lineage>({
  id: 'P5',
  name: 'lineage-size',
  what: '`lineage` of all that lies downstream, through GraphQL and HTTP in one answer, where that is 20,000 data sets and jobs, in comparison with 2,000. A tenth of the rate is a time that grows as the answer does; the target is twelve times as long. The limit of the cost of a query is raised for it.',
  setUp: async (environment) => {
    const server = await openApiServer(environment, { GRAPHQL_MAX_COST: '1000000' });
    const driver = openDriver(server.graph);
    const catalogs = {
      large: reachableCatalog('s3://lake-large', SIZES.large / 2),
      small: reachableCatalog('s3://lake-small', SIZES.small / 2),
    };
    try {
      for (const catalog of Object.values(catalogs)) await writeCatalog(driver, catalog);
    } finally {
      await driver.close();
    }
    const lineage = { server, catalogs };
    for (const size of ['small', 'large'] as const) {
      await walks(lineage, size, environment.quick ? 2 : WARM_UP_WALKS[size]);
    }
    return lineage;
  },
  cases: [
    {
      kind: 'ratio',
      name: '20,000 ÷ 2,000 nodes',
      unit: 'walks',
      target: { atLeast: 1 / 12 },
      sides: { ours: side('large'), baseline: side('small') },
    },
  ],
});
