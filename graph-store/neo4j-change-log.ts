import type { Driver } from 'neo4j-driver';
import neo4j from 'neo4j-driver';
import { AppError } from '#errors';
import { READ_CHANGES, READ_HEAD } from '#graph-schema';
import type { Change, ChangeItem, ChangeLog } from './graph-store.js';
import { inReadTransaction } from './neo4j-session.js';
import { fromNeo4j } from './property-values.js';

/** ChangeLog on Neo4j. */
export class Neo4jChangeLog implements ChangeLog {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  async head(): Promise<number> {
    const result = await inReadTransaction(this.#driver, (tx) => tx.run<{ sequence: number }>(READ_HEAD));
    const row = result.records[0];
    if (row === undefined)
      throw new AppError('INTERNAL_SERVER_ERROR', 'the graph has no change log: run its migrations');
    return row.get('sequence');
  }

  async read(range: { after: number; upTo: number; limit: number }): Promise<Change[]> {
    const result = await inReadTransaction(this.#driver, (tx) =>
      tx.run(READ_CHANGES, {
        after: neo4j.int(range.after),
        upTo: neo4j.int(range.upTo),
        limit: neo4j.int(range.limit),
      }),
    );
    return result.records.map((row) => ({
      sequence: row.get('sequence') as number,
      at: fromNeo4j(row.get('at')) as Date,
      actor: row.get('actor') as string,
      runId: row.get('runId') as string | null,
      items: JSON.parse(row.get('items') as string) as ChangeItem[],
    }));
  }
}
