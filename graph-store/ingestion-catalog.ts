import neo4j, { type Driver } from 'neo4j-driver';
import {
  collectionUrn,
  endpointUrn,
  FIND_BY_URN,
  type KeysetStatement,
  LIST_COLLECTED,
  LIST_COLLECTIONS,
  LIST_ENDPOINT_TESTS,
  LIST_ENDPOINTS,
  LIST_RUNS,
  LIST_STATUSES,
  LIST_TAGGED_PARTS,
  LIST_TEMPLATES,
  LIST_UNITS,
  runUrn,
  templateUrn,
  type UnitState,
  UrnSyntaxError,
  unitStateUrn,
  unitUrn,
} from '#graph-schema';
import {
  type CollectedRecord,
  type CollectionRecord,
  collectionFromNode,
  type EndpointRecord,
  type EndpointTestRecord,
  endpointFromNode,
  endpointTestFromNode,
  type RunRecord,
  runFromNode,
  type StatusRecord,
  statusFromNode,
  type TemplateRecord,
  templateFromNode,
  type UnitRecord,
  type UnitSinkRecord,
  unitFromNode,
} from './ingestion-records.js';
import {
  checkPageSize,
  decodePageCursor,
  encodePageCursor,
  instantOfKey,
  MAX_PAGE,
  type Page,
  type PageRequest,
} from './keyset-page.js';
import { inReadTransaction } from './neo4j-session.js';
import { type Properties, propertiesFromNeo4j, toNeo4j } from './property-values.js';

type Filter = Readonly<Record<string, string | readonly string[] | undefined>>;
type Columns = Readonly<Record<string, unknown>>;

/** What a list returns and how to count it: the count is a query of its own, so it runs only when asked for. */
export interface KeysetList<T> {
  page(request: PageRequest): Promise<Page<T>>;
  count(): Promise<number>;
}

/** Reads of endpoints, units, statuses and runs. Deleted nodes and placeholders are never returned. */
export class IngestionCatalog {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  async templates(filter: { role?: string | undefined } = {}): Promise<TemplateRecord[]> {
    const rows = await this.#run(LIST_TEMPLATES, { role: filter.role ?? null });
    return rows.map((row) => templateFromNode(nodeOf(row)));
  }

  async template(id: string): Promise<TemplateRecord | undefined> {
    return this.#find(
      () => templateUrn(id),
      (row) => templateFromNode(nodeOf(row)),
    );
  }

  endpoints(
    filter: { ids?: readonly string[] | undefined; role?: string | undefined } = {},
  ): KeysetList<EndpointRecord> {
    return this.#byUrn(LIST_ENDPOINTS, { ids: filter.ids, role: filter.role }, (row) => endpointFromNode(nodeOf(row)));
  }

  async endpoint(id: string): Promise<EndpointRecord | undefined> {
    return this.#find(
      () => endpointUrn(id),
      (row) => endpointFromNode(nodeOf(row)),
    );
  }

  units(
    filter: { endpointId?: string | undefined; unitId?: string | undefined; sinkId?: string | undefined } = {},
  ): KeysetList<UnitRecord> {
    const { endpointId, unitId, sinkId } = filter;
    return this.#byUrn(LIST_UNITS, { endpointId, unitId, sinkId }, unitFromRow);
  }

  async unit(endpointId: string, unitId: string): Promise<UnitRecord | undefined> {
    return this.#find(() => unitUrn(endpointId, unitId), unitFromRow);
  }

  statuses(
    filter: { endpointId?: string | undefined; unitId?: string | undefined; state?: UnitState | undefined } = {},
  ): KeysetList<StatusRecord> {
    const { endpointId, unitId, state } = filter;
    return this.#byUrn(LIST_STATUSES, { endpointId, unitId, state }, (row) => statusFromNode(nodeOf(row)));
  }

  async status(endpointId: string, unitId: string, sinkId: string): Promise<StatusRecord | undefined> {
    return this.#find(
      () => unitStateUrn(endpointId, unitId, sinkId),
      (row) => statusFromNode(nodeOf(row)),
    );
  }

  runs(
    filter: { endpointId?: string | undefined; unitId?: string | undefined; runId?: string | undefined } = {},
  ): KeysetList<RunRecord> {
    const { endpointId, unitId, runId } = filter;
    return this.#latestFirst(LIST_RUNS, { endpointId, unitId, runId }, (row) => runFromNode(nodeOf(row)));
  }

  /** Connection tests of one endpoint, the latest first. */
  endpointTests(endpointId: string): KeysetList<EndpointTestRecord> {
    return this.#latestFirst(LIST_ENDPOINT_TESTS, { endpointId }, (row) => endpointTestFromNode(nodeOf(row)));
  }

  async run(runId: string): Promise<RunRecord | undefined> {
    return this.#find(
      () => runUrn(runId),
      (row) => runFromNode(nodeOf(row)),
    );
  }

  /** Collections from one endpoint, the latest first. */
  collections(endpointId: string): KeysetList<CollectionRecord> {
    return this.#latestFirst(LIST_COLLECTIONS, { endpointId }, (row) => collectionFromNode(nodeOf(row)));
  }

  async collection(id: string): Promise<CollectionRecord | undefined> {
    return this.#find(
      () => collectionUrn(id),
      (row) => collectionFromNode(nodeOf(row)),
    );
  }

  /** Data sets that collections from one endpoint have brought, of those whose urns begin with `prefix`. */
  collected(endpointId: string, prefix: string): KeysetList<CollectedRecord> {
    return this.#byUrn(LIST_COLLECTED, { endpoint: endpointUrn(endpointId), prefix }, (row) => ({
      urn: String(nodeOf(row).urn),
      fields: row.fields as string[],
    }));
  }

  /** Urns of a data set and its columns, as far as they carry one of the tags; all are named by urns. */
  async taggedParts(of: { urn: string; columns: readonly string[]; tags: readonly string[] }): Promise<string[]> {
    return (await this.#run(LIST_TAGGED_PARTS, of)).map(({ urn }) => String(urn));
  }

  /** An id that no urn can hold, such as an empty one, names nothing. */
  async #find<T>(urnOf: () => string, toRecord: (row: Columns) => T): Promise<T | undefined> {
    let urn: string;
    try {
      urn = urnOf();
    } catch (error) {
      if (error instanceof UrnSyntaxError) return undefined;
      throw error;
    }
    const [row] = await this.#run(FIND_BY_URN, { urn });
    return row && toRecord(row);
  }

  #byUrn<T extends { readonly urn: string }>(
    statement: KeysetStatement,
    filter: Filter,
    toRecord: (row: Columns) => T,
  ): KeysetList<T> {
    return this.#list(statement, filter, {
      toRecord,
      keyOf: (record) => [record.urn],
      keyLength: 1,
      keyParameters: ([urn]) => ({ afterUrn: urn ?? null }),
    });
  }

  #latestFirst<T extends { readonly urn: string; readonly startedAt: Date | null; readonly createdAt: Date }>(
    statement: KeysetStatement,
    filter: Filter,
    toRecord: (row: Columns) => T,
  ): KeysetList<T> {
    return this.#list(statement, filter, {
      toRecord,
      keyOf: ({ startedAt, createdAt, urn }) => [(startedAt ?? createdAt).toISOString(), urn],
      keyLength: 2,
      keyParameters: ([startedAt, urn]) => ({
        afterStartedAt: startedAt === undefined ? null : toNeo4j(instantOfKey(startedAt)),
        afterUrn: urn ?? null,
      }),
    });
  }

  #list<T>(
    statement: KeysetStatement,
    filter: Filter,
    shape: {
      toRecord: (row: Columns) => T;
      keyOf: (record: T) => [...string[], string];
      keyLength: number;
      keyParameters: (key: readonly string[]) => Record<string, unknown>;
    },
  ): KeysetList<T> {
    const parameters = Object.fromEntries(Object.entries(filter).map(([key, value]) => [key, value ?? null]));
    return {
      page: async ({ first: size, after }) => {
        checkPageSize(size);
        const key = after === undefined ? [] : decodePageCursor(after, shape.keyLength);
        const rows = await this.#run(statement.page, {
          ...parameters,
          ...shape.keyParameters(key),
          limit: neo4j.int(size + 1),
        });
        const records = rows.slice(0, size).map(shape.toRecord);
        return {
          rows: records.map((record) => ({ cursor: encodePageCursor(shape.keyOf(record)), record })),
          hasNextPage: rows.length > size,
        };
      },
      count: async () => Number((await this.#run(statement.count, parameters))[0]?.total ?? 0),
    };
  }

  async #run(statement: string, parameters: Record<string, unknown>): Promise<Columns[]> {
    const result = await inReadTransaction(this.#driver, (tx) => tx.run(statement, parameters));
    return result.records.map((record) => record.toObject());
  }
}

/** Every record of a list, page by page. */
export async function all<T>(list: KeysetList<T>): Promise<T[]> {
  const records: T[] = [];
  let after: string | undefined;
  do {
    const page: Page<T> = await list.page({ first: MAX_PAGE, after });
    records.push(...page.rows.map((row) => row.record));
    after = page.hasNextPage ? page.rows.at(-1)?.cursor : undefined;
  } while (after !== undefined);
  return records;
}

function unitFromRow(row: Columns): UnitRecord {
  return unitFromNode(nodeOf(row), row.sinks as UnitSinkRecord[]);
}

function nodeOf(row: Columns): Properties {
  return propertiesFromNeo4j(row.n as Record<string, unknown>);
}
