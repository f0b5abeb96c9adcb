import type {
  EdgeUpsert,
  EntityUpsert,
  InboxCursor,
  LineageHoldings,
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
    this.#apply(await project(this.#reader()));
    this.#position = upTo;
    return upTo;
  }

  look<T>(read: (holdings: LineageHoldings) => Promise<T>): Promise<T> {
    return read(this.#reader());
  }

  async revise(revise: (holdings: LineageHoldings) => Promise<LineageWrite>): Promise<number | null> {
    this.#apply(await revise(this.#reader()));
    return this.#position;
  }

  /** How much is remembered, in characters. */
  get size(): number {
    return [...this.#records.values()].reduce((size, { key, data }) => size + key.length + data.length, 0);
  }

  #apply({ records, removed, batch }: LineageWrite): void {
    for (const record of records) this.#records.set(record.key, record);
    for (const key of removed) this.#records.delete(key);
    for (const entity of batch.entities ?? []) this.#upsertNode(entity);
    for (const { urn } of batch.deletions ?? []) this.#nodes.delete(urn);
    for (const edge of batch.edges ?? []) this.#upsertEdge(edge);
    for (const { kind, from, to } of batch.edgeDeletions ?? []) this.#edges.delete(`${kind} ${from} ${to}`);
    for (const { urn } of batch.purges ?? []) this.#purge(urn);
  }

  #purge(urn: string): void {
    this.#nodes.delete(urn);
    for (const edge of this.#edges.keys()) if (edge.split(' ').includes(urn)) this.#edges.delete(edge);
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

  /** The other ends of edges, by kind and by whether they leave or enter the node. */
  #ends(kind: string, side: 'from' | 'to', urn: string): string[] {
    return [...this.#edges.keys()].flatMap((edge) => {
      const [of, from = '', to = ''] = edge.split(' ');
      return of === kind && (side === 'from' ? from : to) === urn ? [side === 'from' ? to : from] : [];
    });
  }

  #isLater(one: string, other: string): boolean {
    const [a, b] = [one, other].map((urn) => this.#nodes.get(urn)?.properties.writtenAt as Date | undefined);
    const [at, otherAt] = [a?.getTime() ?? -1, b?.getTime() ?? -1];
    return at === otherAt ? one > other : at > otherAt;
  }

  #reader(): LineageHoldings {
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
      old: async (series, { before, after, limit }) =>
        inSeries(series)
          .map((record) => ({ record, at: placeOf(record).first, key: record.key }))
          .filter(
            ({ at, key }) =>
              at < before && (after === null || at > after.time || (at === after.time && key > after.key)),
          )
          .sort((a, b) => (a.at === b.at ? (a.key < b.key ? -1 : 1) : a.at < b.at ? -1 : 1))
          .slice(0, limit)
          .map(({ record }) => record),
      ownRuns: async () => new Set(),
      newestVersions: async (urns) =>
        new Set(
          urns.filter((urn) =>
            this.#ends('HAS_VERSION', 'to', urn).some((dataset) =>
              this.#ends('HAS_VERSION', 'from', dataset).every((other) => other === urn || this.#isLater(urn, other)),
            ),
          ),
        ),
      oldVersions: async ({ prefix, before, after, limit, links }) => {
        const page = [...this.#nodes.keys()]
          .filter((urn) => urn.startsWith(prefix) && (after === null || urn > after))
          .sort()
          .slice(0, limit);
        const runsOf = (urn: string) =>
          ['READ', 'WROTE'].flatMap((kind) => this.#ends(kind, 'to', urn)).slice(0, links);
        const isOld = (at: unknown) => at === undefined || (at as Date) < before;
        const old = page.filter((urn) => isOld(this.#nodes.get(urn)?.properties.writtenAt));
        return { versions: old.map((urn) => ({ urn, runs: runsOf(urn) })), next: page.at(-1) ?? null };
      },
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
