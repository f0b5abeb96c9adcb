import type {
  EdgeUpsert,
  EntityUpsert,
  InboxCursor,
  LineageRecord,
  LineageRecords,
  LineageStore,
  LineageWrite,
} from '#graph-store';

type Properties = Readonly<Record<string, unknown>>;

/** What a graph shows, in an order that does not depend on how it came about. */
export interface ShownGraph {
  readonly nodes: Readonly<Record<string, { readonly kind: string; readonly properties: Properties }>>;
  readonly edges: Readonly<Record<string, Properties>>;
}

/** A model of the graph by the rules of LineageStore, so that thousands of them can be made. */
export class MemoryLineage implements LineageStore {
  readonly #records = new Map<string, LineageRecord>();
  readonly #nodes = new Map<string, { kind: string; properties: Properties }>();
  readonly #edges = new Map<string, Properties>();
  #position = 0;

  async position(): Promise<number> {
    return this.#position;
  }

  async write(
    { upTo }: InboxCursor,
    project: (records: LineageRecords) => Promise<LineageWrite>,
  ): Promise<number | null> {
    const { records, batch } = await project(this.#reader());
    for (const record of records) this.#records.set(record.key, record);
    for (const entity of batch.entities ?? []) this.#upsertNode(entity);
    for (const { urn } of batch.deletions ?? []) this.#nodes.delete(urn);
    for (const edge of batch.edges ?? []) this.#upsertEdge(edge);
    for (const { kind, from, to } of batch.edgeDeletions ?? []) this.#edges.delete(`${kind} ${from} ${to}`);
    this.#position = upTo;
    return upTo;
  }

  /** An edge that is valid at no time is as good as none. */
  shown(): ShownGraph {
    const edges = [...this.#edges].filter(([, { validFrom }]) => !Array.isArray(validFrom) || validFrom.length > 0);
    return { nodes: inOrder(this.#nodes), edges: inOrder(new Map(edges)) };
  }

  /** Edges that end where no node is. */
  loose(): string[] {
    return [...this.#edges.keys()].filter((edge) => {
      const [, from = '', to = ''] = edge.split(' ');
      return !this.#nodes.has(from) || !this.#nodes.has(to);
    });
  }

  #upsertNode({ urn, kind, name, properties = {} }: EntityUpsert): void {
    const held = this.#nodes.get(urn)?.properties ?? {};
    this.#nodes.set(urn, { kind, properties: patched({ ...held, ...(name && { name }) }, properties) });
  }

  #upsertEdge({ kind, from, to, properties = {} }: EdgeUpsert): void {
    const key = `${kind} ${from} ${to}`;
    this.#edges.set(key, patched(this.#edges.get(key) ?? {}, properties));
  }

  #reader(): LineageRecords {
    const inSeries = (series: string) => [...this.#records.values()].filter(({ place }) => place?.series === series);
    return {
      get: async (keys) =>
        new Map([...keys].flatMap((key) => (this.#records.has(key) ? [[key, this.#record(key)] as const] : []))),
      around: async (stretches, reach) =>
        stretches.map(({ series, from, to, since }) => {
          const all = inSeries(series).map((record) => ({ record, ...placeOf(record) }));
          const within = all.filter(({ first, last }) => first >= since && first <= to && last >= from);
          const after = all.filter(({ first }) => first > to).sort((a, b) => (a.first < b.first ? -1 : 1));
          const before = all.filter(({ last }) => last < from).sort((a, b) => (a.last > b.last ? -1 : 1));
          const records = (places: typeof all) => places.map(({ record }) => record);
          return {
            within: records(within),
            before: records(before.slice(0, reach)),
            after: records(after.slice(0, reach)),
          };
        }),
    };
  }

  #record(key: string): LineageRecord {
    const record = this.#records.get(key);
    if (record === undefined) throw new TypeError(`no record ${key}`);
    return record;
  }
}

function placeOf({ key, place }: LineageRecord) {
  if (place === null) throw new TypeError(`${key} has no place`);
  return place;
}

function patched(held: Properties, patch: Properties): Properties {
  return Object.fromEntries(Object.entries({ ...held, ...patch }).filter(([, value]) => value !== null));
}

function inOrder<T>(members: ReadonlyMap<string, T>): Readonly<Record<string, T>> {
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}
