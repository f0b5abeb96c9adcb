import neo4j, { type ManagedTransaction } from 'neo4j-driver';
import {
  NEWEST_VERSIONS,
  OWN_RUNS,
  READ_LINEAGE_RECORDS,
  READ_LINEAGE_STRETCHES,
  READ_OLD_LINEAGE_RECORDS,
  READ_OLD_VERSIONS,
} from '#graph-schema';
import type { LineageHoldings, LineageRecord, OldVersion, Stretch, StretchRecords } from './lineage-store.js';
import { toNeo4j } from './property-values.js';

type StoredRecord = [key: string, series: string | null, first: string | null, last: string | null, data: string];

/** Comes after every character that urns are made of. */
const LAST_CHARACTER = '\u007f';

/** What is remembered of lineage, and what the graph shows of it, as one transaction sees it. */
export class TransactionHoldings implements LineageHoldings {
  readonly #tx: ManagedTransaction;

  constructor(tx: ManagedTransaction) {
    this.#tx = tx;
  }

  async get(keys: Iterable<string>): Promise<ReadonlyMap<string, LineageRecord>> {
    const asked = [...new Set(keys)];
    if (asked.length === 0) return new Map();
    const { records } = await this.#tx.run<{ record: StoredRecord }>(READ_LINEAGE_RECORDS, { keys: asked });
    return new Map(records.map((row) => [row.get('record')[0], recordOf(row.get('record'))]));
  }

  async around(stretches: readonly Stretch[], reach: number): Promise<readonly StretchRecords[]> {
    if (stretches.length === 0) return [];
    const { records } = await this.#tx.run<{ within: StoredRecord[]; before: StoredRecord[]; after: StoredRecord[] }>(
      READ_LINEAGE_STRETCHES,
      { rows: stretches, reach: neo4j.int(reach) },
    );
    return records.map((row) => ({
      within: row.get('within').map(recordOf),
      before: row.get('before').map(recordOf),
      after: row.get('after').map(recordOf),
    }));
  }

  async old(series: string, { before, after, limit }: Parameters<LineageHoldings['old']>[1]): Promise<LineageRecord[]> {
    const place = { afterTime: after?.time ?? '', afterKey: after?.key ?? '' };
    const { records } = await this.#tx.run<{ record: StoredRecord }>(READ_OLD_LINEAGE_RECORDS, {
      ...{ series, before, ...place },
      limit: neo4j.int(limit),
    });
    return records.map((row) => recordOf(row.get('record')));
  }

  ownRuns(urns: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#urns(OWN_RUNS, urns);
  }

  newestVersions(urns: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#urns(NEWEST_VERSIONS, urns);
  }

  async oldVersions({ prefix, before, after, limit, links }: Parameters<LineageHoldings['oldVersions']>[0]) {
    const { records } = await this.#tx.run<OldVersion & { isOld: boolean }>(READ_OLD_VERSIONS, {
      // A range, since pages of a prefix would each begin their seek at its first urn.
      ...{ after: after ?? prefix, until: `${prefix}${LAST_CHARACTER}`, before: toNeo4j(before) },
      limit: neo4j.int(limit),
      links: neo4j.int(links),
    });
    const rows = records.map((row) => row.toObject());
    return {
      versions: rows.filter(({ isOld }) => isOld).map(({ urn, runs }) => ({ urn, runs })),
      // The last of a page has a row in any case.
      next: rows.at(-1)?.urn ?? null,
    };
  }

  async #urns(statement: string, urns: readonly string[]): Promise<ReadonlySet<string>> {
    if (urns.length === 0) return new Set();
    const { records } = await this.#tx.run<{ urn: string }>(statement, { urns });
    return new Set(records.map((row) => row.get('urn')));
  }
}

function recordOf([key, series, first, last, data]: StoredRecord): LineageRecord {
  const place = series === null || first === null || last === null ? null : { series, first, last };
  return { key, place, data };
}
