import type { Driver } from 'neo4j-driver';
import { openDriver } from '#graph-store';
import { type ApiServer, openApiServer } from './api-server.js';
import { type BenchmarkCase, defineBenchmark, percentile, type Round } from './harness/index.js';
import { type CatalogShape, lineageCatalog, startsThatReach, writeCatalog } from './lineage-catalog.js';
import { type Walked, walkByDriver, walkByGraphql } from './lineage-walk.js';

const DEPTH = 5;
/** Data sets and jobs that a walk meets: about 660. */
const REACHED = { from: 600, to: 720 };
const MOST = { maxNodes: 1_000, maxEdges: 5_000 };
/** Walks of one side in a round, each from another start as long as there are others. */
const WALKS = { full: 100, quick: 10 };
/** Before the first round, for each catalog and side: a fresh Neo4j cannot do a tenth of what it can do later. */
const WARM_UP_WALKS = { full: 400, quick: 20 };

const CATALOGS: readonly (CatalogShape & { readonly name: string })[] = [
  { name: '1,000 jobs', jobs: 1_000, inputs: 3, domain: 1_000, seed: 1 },
  { name: '10,000 jobs', jobs: 10_000, inputs: 3, domain: 10_000, seed: 2 },
  { name: '100,000 data sets, 1,000,000 edges', jobs: 100_000, inputs: 9, domain: 500, seed: 3 },
];

interface Lineage {
  readonly server: ApiServer;
  readonly driver: Driver;
  /** Urns to walk from, by the name of the catalog. */
  readonly starts: ReadonlyMap<string, readonly string[]>;
}

type Walk = (lineage: Lineage, urn: string) => Promise<Walked>;

const ours: Walk = ({ server }, urn) => walkByGraphql(server.url, { urn, depth: DEPTH, ...MOST });
const byHand: Walk = ({ driver }, urn) => walkByDriver(driver, urn, DEPTH);

/** How long each walk takes, in milliseconds, one after the other. */
async function latencies(lineage: Lineage, catalog: string, walk: Walk, count: number): Promise<number[]> {
  const starts = lineage.starts.get(catalog) ?? [];
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    await walk(lineage, starts[index % starts.length] ?? '');
    found.push(performance.now() - startedAt);
  }
  return found;
}

const walksOf = (quick: boolean) => (quick ? WALKS.quick : WALKS.full);

/** How many latencies at a percentile fit into a second, in comparison with the walk by hand: half as many is twice as long. */
function comparison(catalog: string, percent: number, atLeast: number): BenchmarkCase<Lineage> {
  const side =
    (walk: Walk) =>
    async ({ env, quick }: Round<Lineage>) => {
      const taken = await latencies(env, catalog, walk, walksOf(quick));
      return { count: 1, durationMs: percentile(taken, percent) };
    };
  return {
    kind: 'ratio',
    name: `${catalog}: p${percent} ÷ by hand`,
    unit: `p${percent} walks`,
    target: { atLeast },
    sides: { ours: side(ours), baseline: side(byHand) },
  };
}

function latency(catalog: string): BenchmarkCase<Lineage> {
  return {
    kind: 'latency',
    name: `${catalog}: depth ${DEPTH}`,
    target: { percentile: 50, atMostMs: 15 },
    measure: ({ env, quick }) => latencies(env, catalog, ours, walksOf(quick)),
  };
}

export const benchmark = defineBenchmark<Lineage>({
  id: 'P4',
  name: 'lineage-walk',
  what: `\`lineage\` downstream to depth ${DEPTH}, ${REACHED.from} to ${REACHED.to} data sets and jobs with all edges among them, through GraphQL and HTTP, in comparison with the same walk in Cypher by hand through the driver, which tells no depths. The comparison is one of rates: 0.80 is a latency 1.25 times as long. The first two catalogs have three inputs a job, anywhere before it; the last has nine, in domains of 500 jobs.`,
  setUp: async (environment) => {
    const server = await openApiServer(environment);
    const driver = openDriver(server.graph);
    environment.use({ [Symbol.asyncDispose]: () => driver.close() });
    const starts = new Map<string, readonly string[]>();
    for (const { name, ...shape } of CATALOGS) {
      const catalog = lineageCatalog(`s3://lake-${shape.jobs}`, shape);
      await writeCatalog(driver, catalog);
      starts.set(name, startsThatReach(catalog, { depth: DEPTH, ...REACHED, limit: WALKS.full }));
    }
    await driver.executeQuery('CALL db.awaitIndexes()');
    const lineage = { server, driver, starts };
    for (const { name } of CATALOGS) await warmUp(lineage, name, environment.quick);
    return lineage;
  },
  cases: [
    ...(CATALOGS.flatMap(({ name }) => [latency(name), comparison(name, 50, 0.8), comparison(name, 99, 0.67)]) as [
      BenchmarkCase<Lineage>,
    ]),
  ],
});

/** @throws Error when the two sides do not tell the same */
async function warmUp(lineage: Lineage, catalog: string, quick: boolean): Promise<void> {
  const [start = ''] = lineage.starts.get(catalog) ?? [];
  const answers = [await ours(lineage, start), await byHand(lineage, start)];
  const [answer] = answers;
  if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1]) || (answer?.nodes ?? 0) < REACHED.from) {
    throw new Error(`${catalog}: the sides differ, or walk not far enough: ${JSON.stringify(answers)}`);
  }
  const count = quick ? WARM_UP_WALKS.quick : WARM_UP_WALKS.full;
  for (const walk of [ours, byHand]) await latencies(lineage, catalog, walk, count);
}
