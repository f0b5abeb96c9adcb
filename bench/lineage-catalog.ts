import type { Driver } from 'neo4j-driver';
import { datasetUrn, formatUrn } from '#graph-schema';
import { seededRandom } from './harness/index.js';

/** Data sets and the jobs between them: job n writes data set n. */
export interface LineageCatalog {
  readonly namespace: string;
  /** Of each job, the data sets that it reads; all are older than the one that it writes. */
  readonly inputs: readonly (readonly number[])[];
}

export interface CatalogShape {
  readonly jobs: number;
  /** Data sets that a job reads, where there are as many before it. */
  readonly inputs: number;
  /** Jobs whose data sets belong together: a job reads those of its own domain, and one in a hundred also one of another. */
  readonly domain: number;
  readonly seed: number;
}

const ONE_IN = 100;

/** The same for the same shape, on every machine. */
export function lineageCatalog(namespace: string, { jobs, inputs, domain, seed }: CatalogShape): LineageCatalog {
  const random = seededRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  return {
    namespace,
    inputs: Array.from({ length: jobs }, (_, job) => {
      const first = job - (job % domain);
      const read = new Set<number>();
      while (read.size < Math.min(inputs, job - first)) read.add(first + below(job - first));
      if (job > 0 && below(ONE_IN) === 0) read.add(below(job));
      return [...read];
    }),
  };
}

/** A tree of data sets with some short cuts: all that is there is reached from data set 0, by the first of which nothing is read. */
export function reachableCatalog(namespace: string, jobs: number): LineageCatalog {
  const random = seededRandom(jobs);
  return {
    namespace,
    inputs: Array.from({ length: jobs }, (_, job) =>
      job === 0 ? [] : [...new Set([Math.floor((job - 1) / 3), Math.floor(random() * job)])],
    ),
  };
}

export const datasetOf = ({ namespace }: LineageCatalog, index: number): string =>
  datasetUrn(namespace, `warehouse.public.orders_${index}`);

const jobOf = ({ namespace }: LineageCatalog, index: number): string =>
  formatUrn('job', [namespace, `make_orders_${index}`]);

/**
 * Data sets from which a walk downstream meets as many data sets and jobs, the start included, at most `limit` of them.
 * @param depth hops over data sets
 */
export function startsThatReach(
  catalog: LineageCatalog,
  { depth, from, to, limit }: { depth: number; from: number; to: number; limit: number },
): string[] {
  const readers = new Map<number, number[]>();
  for (const [job, inputs] of catalog.inputs.entries()) {
    for (const input of inputs) readers.set(input, [...(readers.get(input) ?? []), job]);
  }
  const found: string[] = [];
  for (let start = 0; start < catalog.inputs.length && found.length < limit; start += 1) {
    const reached = new Set([start]);
    let frontier = [start];
    for (let hop = 0; hop < depth; hop += 1) {
      frontier = [...new Set(frontier.flatMap((dataset) => readers.get(dataset) ?? []))].filter(
        (job) => !reached.has(job),
      );
      for (const job of frontier) reached.add(job);
    }
    // Each data set but the start comes with the job that writes it.
    const nodes = 2 * reached.size - 1;
    if (nodes >= from && nodes <= to) found.push(datasetOf(catalog, start));
  }
  return found;
}

const BATCH = 10_000;
const NODES = `
UNWIND $rows AS row
CREATE (n:Entity {urn: row.urn, name: row.name, namespace: row.namespace, version: 1})
SET n.createdAt = datetime(), n.updatedAt = datetime(), n:$(row.label)`;
/** What the projection of events leaves on an edge that one run has told of after another. */
const edges = (kind: 'FEEDS' | 'PRODUCES'): string => `
UNWIND $rows AS row
MATCH (a:Entity {urn: row.from})
MATCH (b:Entity {urn: row.to})
CREATE (a)-[:${kind} {version: 1, createdAt: datetime(), current: true, validFrom: ['2026-01-01T00:00:00.000000000Z'], validTo: [],
  firstRuns: [row.run + '-first'], lastRuns: [row.run + '-last']}]->(b)`;

/** Writes a catalog as it lies in the graph, past all that keeps writes in order: only reads are measured. */
export async function writeCatalog(driver: Driver, catalog: LineageCatalog): Promise<void> {
  const { namespace } = catalog;
  const nodes = catalog.inputs.flatMap((_, index) => [
    { label: 'Dataset', urn: datasetOf(catalog, index), name: `warehouse.public.orders_${index}`, namespace },
    { label: 'Job', urn: jobOf(catalog, index), name: `make_orders_${index}`, namespace },
  ]);
  const run = (job: number) => formatUrn('run', [`${namespace}-${job}`]);
  const feeds = catalog.inputs.flatMap((inputs, job) =>
    inputs.map((input) => ({ from: datasetOf(catalog, input), to: jobOf(catalog, job), run: run(job) })),
  );
  const produces = catalog.inputs.map((_, job) => ({
    from: jobOf(catalog, job),
    to: datasetOf(catalog, job),
    run: run(job),
  }));
  for (const [statement, rows] of [
    [NODES, nodes],
    [edges('FEEDS'), feeds],
    [edges('PRODUCES'), produces],
  ] as const) {
    for (let at = 0; at < rows.length; at += BATCH) {
      await driver.executeQuery(statement, { rows: rows.slice(at, at + BATCH) });
    }
  }
}
