import neo4j, { type Driver } from 'neo4j-driver';
import { InputError } from '#errors';
import {
  AWAIT_SEARCH_INDEX,
  FIND_LINK_ENDS,
  FIND_NODES,
  type KindCatalog,
  type KindDefinition,
  LIST_ENTITIES,
  LIST_LINKS,
  SEARCH_ENTITIES,
} from '#graph-schema';
import type { KeysetList } from './ingestion-catalog.js';
import {
  checkPageSize,
  decodePageCursor,
  encodePageCursor,
  numberOfKey,
  type Page,
  type PageKey,
  type PageRequest,
} from './keyset-page.js';
import { entityFromRow, type NodeRow } from './knowledge-records.js';
import type { EntityRecord, KindRegistry, KnowledgeReader, LinkRecord, SearchHit } from './knowledge-types.js';
import { inReadTransaction } from './neo4j-session.js';
import { propertiesFromNeo4j } from './property-values.js';
import { highlights } from './search-highlights.js';
import { searchQuery, searchWords } from './search-query.js';
import { UrnBatches } from './urn-batches.js';
import { declaredOfEdge, isDeclared, visibleProperties } from './visible-properties.js';

type Parameters = Readonly<Record<string, unknown>>;

/** How one kind of list turns rows into records, and keys into parameters. */
interface ListShape<Row extends NodeRow, T> {
  readonly read: (parameters: Parameters) => Promise<Row[]>;
  readonly keyLength: number;
  /** Parameters of the key after which to go on; of an empty key those of the beginning. */
  readonly after: (key: readonly string[]) => Parameters;
  readonly toRecord: (row: Row, catalog: KindCatalog) => T;
  readonly keyOf: (record: T) => PageKey;
  /** Whether a copy of the kinds is new enough to show a row. */
  readonly isKnown?: (row: Row, catalog: KindCatalog) => boolean;
}

/** KnowledgeReader on Neo4j. */
export class Neo4jKnowledgeReader implements KnowledgeReader {
  readonly #driver: Driver;
  readonly #kinds: KindRegistry;
  readonly #ofEach: UrnBatches;

  constructor(driver: Driver, kinds: KindRegistry) {
    this.#driver = driver;
    this.#kinds = kinds;
    this.#ofEach = new UrnBatches((statement, parameters) => this.#run(statement, parameters));
  }

  async nodes(urns: readonly string[], options: { includeDeleted?: boolean } = {}): Promise<(EntityRecord | null)[]> {
    const unique = [...new Set(urns)];
    const rows = unique.length === 0 ? [] : await this.#run<NodeRow>(FIND_NODES, { urns: unique });
    const catalog = await this.#catalogFor(rows, isKnownNode);
    const byUrn = new Map(rows.map((row) => [String(row.n.urn), entityFromRow(row, catalog)]));
    return urns.map((urn) => {
      const entity = byUrn.get(urn);
      if (entity === undefined) return null;
      return options.includeDeleted || (entity.deletedAt === null && !entity.placeholder) ? entity : null;
    });
  }

  entities(filter: { kind?: string | undefined }): KeysetList<EntityRecord> {
    const range = async () => {
      const kind = filter.kind === undefined ? undefined : await this.#kindNamed(filter.kind, 'kind');
      const prefix = kind === undefined ? 'nucleus' : `nucleus:${kind.urnKind}`;
      return { after: `${prefix}:`, end: `${prefix};`, label: kind?.name ?? null };
    };
    return {
      page: (request) =>
        this.#page<NodeRow, EntityRecord>(request, {
          read: async (page) => this.#run(LIST_ENTITIES.page, { ...(await range()), ...page }),
          keyLength: 1,
          after: ([urn]) => (urn === undefined ? {} : { after: urn }),
          toRecord: entityFromRow,
          keyOf: (entity) => [entity.urn],
        }),
      count: async () => totalOf(await this.#run(LIST_ENTITIES.count, await range())),
    };
  }

  links(
    urn: string,
    filter: { kinds?: readonly string[] | undefined; direction?: 'OUT' | 'IN' | 'BOTH' | undefined },
  ): KeysetList<LinkRecord> {
    const direction = filter.direction ?? 'BOTH';
    const parameters = { kinds: filter.kinds ?? null, out: direction !== 'IN', in: direction !== 'OUT' };
    return {
      page: (request) =>
        this.#page<LinkRow, LinkRecord>(request, {
          read: (page) => this.#ofEach.read<LinkRow>(LIST_LINKS.page, urn, { ...parameters, ...page }),
          keyLength: 3,
          after: ([kind, towards, other]) => ({
            afterKind: kind ?? null,
            afterDirection: towards ?? null,
            afterUrn: other ?? null,
          }),
          toRecord: linkFromRow,
          keyOf: (link) => [link.kind, link.direction, link.node.urn],
          isKnown: isKnownLink,
        }),
      count: async () => totalOf(await this.#ofEach.read<CountRow>(LIST_LINKS.count, urn, parameters)),
    };
  }

  search(filter: { text: string; kinds?: readonly string[] | undefined }): Pick<KeysetList<SearchHit>, 'page'> {
    return {
      page: async (request) => {
        const words = searchWords(filter.text);
        const query = searchQuery(words);
        const kinds = await Promise.all((filter.kinds ?? []).map((name) => this.#kindNamed(name, 'kinds')));
        const labels = filter.kinds ? kinds.map((kind) => kind.name) : null;
        return this.#page<NodeRow & { score: number }, SearchHit>(request, {
          read: (page) => this.#run(SEARCH_ENTITIES, { query, labels, ...page }, AWAIT_SEARCH_INDEX),
          keyLength: 2,
          after: ([score, urn]) => ({
            afterScore: score === undefined ? null : numberOfKey(score),
            afterUrn: urn ?? null,
          }),
          toRecord: (row, catalog) => {
            const entity = entityFromRow(row, catalog);
            const texts = { ...entity.properties, name: entity.name };
            return { entity, score: row.score, highlights: highlights(texts, words) };
          },
          keyOf: (hit) => [String(hit.score), hit.entity.urn],
        });
      },
    };
  }

  async linkEnds(urns: readonly string[], kind: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.#run<{ from: string; to: string }>(FIND_LINK_ENDS, { urns: [...new Set(urns)], kind });
    const ends = new Map<string, string[]>();
    for (const { from, to } of rows) ends.set(from, [...(ends.get(from) ?? []), to]);
    return ends;
  }

  async #page<Row extends NodeRow, T>(request: PageRequest, shape: ListShape<Row, T>): Promise<Page<T>> {
    checkPageSize(request.first);
    const key = request.after === undefined ? [] : decodePageCursor(request.after, shape.keyLength);
    const rows = await shape.read({ ...shape.after(key), limit: neo4j.int(request.first + 1) });
    const shown = rows.slice(0, request.first);
    const catalog = await this.#catalogFor(shown, shape.isKnown ?? isKnownNode);
    return {
      rows: shown.map((row) => {
        const record = shape.toRecord(row, catalog);
        return { cursor: encodePageCursor(shape.keyOf(record)), record };
      }),
      hasNextPage: rows.length > request.first,
    };
  }

  /** @param first a statement to run before, of which nothing is read */
  async #run<Row>(statement: string, parameters: Parameters, first?: string): Promise<Row[]> {
    const { records } = await inReadTransaction(this.#driver, async (tx) => {
      if (first !== undefined) await tx.run(first);
      return tx.run(statement, parameters);
    });
    return records.map((record) => record.toObject() as Row);
  }

  /** Another process may have defined the kind of what was just read. */
  async #catalogFor<Row>(rows: readonly Row[], isKnown: (row: Row, of: KindCatalog) => boolean): Promise<KindCatalog> {
    const known = await this.#kinds.known();
    return rows.every((row) => isKnown(row, known)) ? known : this.#kinds.refresh();
  }

  async #kindNamed(name: string, field: string): Promise<KindDefinition> {
    const kind = await this.#kinds.find(name);
    if (kind === undefined) throw InputError.one('BAD_USER_INPUT', field, 'names no kind; entityKinds lists them');
    return kind;
  }
}

interface CountRow {
  readonly urn: string;
  readonly total: number;
}

const totalOf = ([row]: readonly Pick<CountRow, 'total'>[]): number => row?.total ?? 0;

function isKnownNode({ n }: NodeRow, catalog: KindCatalog): boolean {
  return isDeclared({ urn: String(n.urn), names: Object.keys(n) }, catalog);
}

interface LinkRow extends NodeRow {
  /** Of the entity whose link it is. */
  readonly urn: string;
  readonly r: Record<string, unknown>;
  readonly kind: string;
  readonly direction: 'OUT' | 'IN';
}

const fromOf = ({ urn, direction, n }: LinkRow): string => (direction === 'OUT' ? urn : String(n.urn));

function isKnownLink(row: LinkRow, catalog: KindCatalog): boolean {
  const edge = { urn: fromOf(row), names: Object.keys(row.r), edge: row.kind };
  return isKnownNode(row, catalog) && isDeclared(edge, catalog);
}

function linkFromRow(row: LinkRow, catalog: KindCatalog): LinkRecord {
  const node = entityFromRow(row, catalog);
  const edge = propertiesFromNeo4j(row.r);
  return {
    kind: row.kind,
    direction: row.direction,
    node,
    version: Number(edge.version),
    createdAt: edge.createdAt as Date,
    updatedAt: edge.updatedAt as Date,
    properties: visibleProperties(edge, declaredOfEdge(row.kind, fromOf(row), catalog)),
  };
}
