import neo4j, { type Driver } from 'neo4j-driver';
import { datasetUrn } from '#graph-schema';
import { type EdgeUpsert, type EntityUpsert, migrateGraph, Neo4jGraphStore, openDriver } from '#graph-store';
import type { BenchEnvironment } from './harness/index.js';

export const CONTEXT = { actor: 'bench' };

/** Rows of one transaction, for both sides; the most that the store takes. */
const BATCH = 5_000;

/** What both sides write in one round. */
export const ROWS = { full: 20_000, quick: 5_000 };

export interface GraphBench {
  readonly driver: Driver;
  readonly store: Neo4jGraphStore;
}

export async function openGraph(environment: BenchEnvironment): Promise<GraphBench> {
  const driver = openDriver(await environment.startNeo4j());
  environment.use({ [Symbol.asyncDispose]: () => driver.close() });
  await migrateGraph(driver);
  return { driver, store: new Neo4jGraphStore(driver) };
}

/** Data sets as a catalog has them. In another edition of the same rows every second property has another value. */
export function datasets(namespace: string, count: number, edition = 1): EntityUpsert[] {
  return Array.from({ length: count }, (_, row): EntityUpsert => {
    const name = `shop.public.orders_${String(row).padStart(6, '0')}`;
    return {
      kind: 'Dataset',
      urn: datasetUrn(namespace, name),
      name,
      properties: {
        namespace,
        description: `Orders of shard ${row}, one row for each order line, as of edition ${edition}`,
        type: 'table',
        format: row % 2 === 0 ? 'iceberg' : 'parquet',
        rowCount: row * 1_000 + edition,
        sizeBytes: row * 65_536,
        nullRatio: edition / 64,
        externalUrl: `https://catalog.example/datasets/${namespace}/${row}`,
      },
    };
  });
}

/** Edges from each data set to one other, which `step` picks. */
export function edges(rows: readonly EntityUpsert[], step: number, edition = 1): EdgeUpsert[] {
  return rows.map(
    ({ urn }, row): EdgeUpsert => ({
      kind: 'DERIVES',
      from: urn,
      to: rows[(row + step) % rows.length]?.urn ?? urn,
      properties: { via: `job-${row % 100}`, confidence: edition / 64, edition },
    }),
  );
}

export function inBatches<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, batch) =>
    rows.slice(batch * BATCH, (batch + 1) * BATCH),
  );
}

/** The same values as a careful user of the bare driver sends them: whole numbers as integers. */
export function bareProperties(properties: EntityUpsert['properties'] = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      Number.isInteger(value) ? neo4j.int(value as number) : value,
    ]),
  );
}
