import type { EdgeDeletion, EdgeUpsert, EntityUpsert, GraphBatch, ItemResult, WriteOptions } from '#graph-store';

type Values = Readonly<Record<string, unknown>>;

/** A node or edge as the model holds it; version 0 is a placeholder. */
export interface ModelThing {
  readonly values: Values;
  readonly version: number;
  readonly deleted: boolean;
}

export const LISTS = ['entities', 'deletions', 'edges', 'edgeDeletions', 'purges'] as const;
type List = (typeof LISTS)[number];

/** `outcome` is that of the receipt, or the code of the refusal. */
export interface ModelResult {
  readonly list: List;
  readonly index: number;
  readonly outcome: string;
  readonly version: number;
}

interface ModelItem {
  readonly operation: string;
  readonly thing: string;
  readonly version: number;
}

export type ModelAnswer =
  | { readonly refused: readonly Pick<ModelResult, 'list' | 'index' | 'outcome'>[] }
  | { readonly refused: undefined; readonly results: readonly ModelResult[]; readonly items: readonly ModelItem[] };

const ABSENT: ModelThing = { values: {}, version: 0, deleted: false };

export const edgeName = (edge: EdgeDeletion): string => `${edge.from} -${edge.kind}-> ${edge.to}`;

/** What the graph store promises, without a store: the reference that random batches are compared with. */
export class GraphModel {
  nodes = new Map<string, ModelThing>();
  edges = new Map<string, ModelThing & { readonly ends: readonly [string, string] }>();

  write(batch: GraphBatch, { atomic = true, missingEnds = 'create' }: WriteOptions = {}): ModelAnswer {
    const onSight = refusedOnSight(batch);
    if (atomic && onSight.length > 0) return { refused: onSight };
    const before = { nodes: new Map(this.nodes), edges: new Map(this.edges) };
    const skip = new Set(onSight.map(({ list, index }) => `${list}.${index}`));
    const step = new ModelStep(this, missingEnds);
    for (const list of LISTS) {
      for (const [index, item] of (batch[list] ?? []).entries()) {
        if (!skip.has(`${list}.${index}`)) step.apply(list, index, item as never);
      }
    }
    const refused = step.results.filter(({ outcome }) => isRefusal(outcome));
    if (atomic && refused.length > 0) {
      Object.assign(this, before);
      return { refused: refused.map(({ list, index, outcome }) => ({ list, index, outcome })) };
    }
    return {
      refused: undefined,
      results: [...onSight.map((result) => ({ ...result, version: 0 })), ...step.results],
      items: step.items,
    };
  }
}

const isRefusal = (outcome: string) => outcome === outcome.toUpperCase();

function refusedOnSight(batch: GraphBatch): { list: List; index: number; outcome: string }[] {
  const seen = new Set<string>();
  const purged = new Set((batch.purges ?? []).map(({ urn }) => urn));
  return LISTS.flatMap((list) =>
    [...(batch[list] ?? []).entries()].flatMap(([index, item]) => {
      const name = 'urn' in item ? item.urn : edgeName(item);
      const twice = seen.has(name);
      seen.add(name);
      const intoPurged = list === 'edges' && 'from' in item && (purged.has(item.from) || purged.has(item.to));
      return twice || intoPurged ? [{ list, index, outcome: 'BAD_USER_INPUT' }] : [];
    }),
  );
}

/** One batch on its way into the model. */
class ModelStep {
  readonly results: ModelResult[] = [];
  readonly items: ModelItem[] = [];
  readonly #model: GraphModel;
  readonly #missingEnds: 'create' | 'refuse';
  readonly #refusedEntities = new Set<string>();

  constructor(model: GraphModel, missingEnds: 'create' | 'refuse') {
    this.#model = model;
    this.#missingEnds = missingEnds;
  }

  apply(list: List, index: number, item: EntityUpsert & EdgeUpsert): void {
    const { outcome, version } = this.#outcome(list, item);
    this.results.push({ list, index, outcome, version });
  }

  #outcome(list: List, item: EntityUpsert & EdgeUpsert): { outcome: string; version: number } {
    const { nodes, edges } = this.#model;
    const isNode = list === 'entities' || list === 'deletions' || list === 'purges';
    const name = isNode ? item.urn : edgeName(item);
    const present = (isNode ? nodes.get(name) : edges.get(name)) ?? ABSENT;
    const refuse = (code: string) => ({ outcome: code, version: present.version });
    const stale = item.ifVersion !== undefined && item.ifVersion !== present.version;
    const staleUpsert = stale && !(item.ifVersion === 0 && present.deleted);
    const log = (operation: string, version = present.version + 1) => {
      this.items.push({ operation, thing: name, version });
      return { outcome: operation, version };
    };
    switch (list) {
      case 'entities': {
        if (staleUpsert) {
          this.#refusedEntities.add(name);
          return refuse('CONFLICT');
        }
        const caption = item.name ?? present.values.name ?? lastPart(name);
        const next = upserted(present, { ...item.properties, name: caption });
        if (next === undefined) return { outcome: 'unchanged', version: present.version };
        nodes.set(name, next);
        return log(present.version === 0 ? 'created' : present.deleted ? 'revived' : 'updated');
      }
      case 'deletions':
        if (present.version === 0 || present.deleted) return refuse('NOT_FOUND');
        if (stale) return refuse('CONFLICT');
        nodes.set(name, { ...present, version: present.version + 1, deleted: true });
        return log('deleted');
      case 'edges': {
        if ([item.from, item.to].some((end) => this.#isNoEnd(end))) return refuse('NOT_FOUND');
        if (staleUpsert) return refuse('CONFLICT');
        const next = upserted(present, item.properties ?? {});
        if (next === undefined) return { outcome: 'unchanged', version: present.version };
        edges.set(name, { ...next, ends: [item.from, item.to] });
        for (const end of [item.from, item.to]) {
          if (!nodes.has(end)) nodes.set(end, { ...ABSENT, values: { name: lastPart(end) } });
        }
        return log(present.version === 0 ? 'created' : present.deleted ? 'revived' : 'updated');
      }
      case 'edgeDeletions': {
        const edge = edges.get(name);
        if (edge === undefined || edge.deleted) return { outcome: 'unchanged', version: present.version };
        if (stale) return refuse('CONFLICT');
        edges.set(name, { ...edge, version: edge.version + 1, deleted: true });
        return log('deleted');
      }
      case 'purges':
        if (!nodes.has(name)) return refuse('NOT_FOUND');
        if (staleUpsert) return refuse('CONFLICT');
        nodes.delete(name);
        for (const [key, { ends }] of edges) if (ends.includes(name)) edges.delete(key);
        log('purged');
        return { outcome: 'purged', version: 0 };
    }
  }

  #isNoEnd(urn: string): boolean {
    const node = this.#model.nodes.get(urn);
    if (node === undefined && this.#refusedEntities.has(urn)) return true;
    return this.#missingEnds === 'refuse' && (node === undefined || node.version === 0 || node.deleted);
  }
}

function upserted(present: ModelThing, patch: Values): ModelThing | undefined {
  const values = Object.fromEntries(
    Object.entries({ ...present.values, ...patch }).filter(([, value]) => value !== null),
  );
  const same = present.version > 0 && !present.deleted && text(values) === text(present.values);
  return same ? undefined : { values, version: present.version + 1, deleted: false };
}

const text = (values: Values) => JSON.stringify(Object.entries(values).sort());

const lastPart = (urn: string) => urn.slice(urn.lastIndexOf(':') + 1);

/** A result of the store in the words of the model. */
export const shortResult = (list: List, index: number, { outcome, version, refusal }: ItemResult): ModelResult => ({
  list,
  index,
  outcome: refusal?.code ?? outcome,
  version,
});
