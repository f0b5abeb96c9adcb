import type { KindName, LinkKindName } from '#graph-schema';
import type { RefusedItem } from './batch-refused.js';
import type { ChangeItem, EdgeResult, ItemResult, Refusal, WriteOptions } from './graph-store.js';
import { type PropertyPatch, toNeo4j } from './property-values.js';
import type { Chunk, ListName } from './split-batch.js';

/**
 * A node or edge as it is in the graph, under its lock; of its properties those that its item names, and the store's own, as
 * the driver returns them.
 */
export type Held = Readonly<Record<string, unknown>>;

/** All that the plan of a chunk depends on. */
export interface PlanInput {
  readonly chunk: Chunk;
  /** By urn; a node that is not there does not exist. */
  readonly nodes: ReadonlyMap<string, Held>;
  /** By `edgeKey`. */
  readonly edges: ReadonlyMap<string, Held>;
  /** Most specific kind by urn, of nodes that are to be deleted or purged. */
  readonly kinds: ReadonlyMap<string, string>;
  readonly missingEnds: NonNullable<WriteOptions['missingEnds']>;
  /** Entities of the same batch that were refused: edges do not bring them about as placeholders. */
  readonly refusedEntities: ReadonlySet<string>;
  readonly changeId: string;
  readonly now: Date;
}

export interface PlannedResult {
  readonly list: ListName;
  readonly index: number;
  readonly result: ItemResult | EdgeResult;
}

type Parameters = Record<string, unknown>;

interface Update {
  readonly version: number;
  readonly set: Parameters;
}

/** Urns of the nodes at both sides of an edge. */
export interface Ends {
  readonly from: string;
  readonly to: string;
}

/** A value that Neo4j cannot hold. */
export class UnfitValue extends Error {
  override readonly name = 'UnfitValue';
  readonly key: string;

  constructor(key: string, rule: string) {
    super(rule);
    this.key = key;
  }
}

/** What a transaction is going to write, say and log. Filled by the planning functions, which are pure apart from it. */
export class WritePlan {
  /** By urn. */
  readonly creations = new Map<string, { kind: KindName | null; set: Parameters }>();
  /** By kind; null leaves the labels as they are. */
  readonly updates = new Map<KindName | null, (Update & { readonly urn: string })[]>();
  readonly edgeCreations = new Map<LinkKindName, (Ends & { readonly set: Parameters })[]>();
  readonly edgeUpdates = new Map<LinkKindName, (Ends & Update)[]>();
  readonly purges: string[] = [];
  readonly items: ChangeItem[] = [];
  readonly results: PlannedResult[] = [];
  readonly refused: RefusedItem[] = [];

  tell(list: ListName, index: number, result: ItemResult | EdgeResult): void {
    this.results.push({ list, index, result });
  }

  refuse(list: ListName, index: number, result: ItemResult | EdgeResult, refusal: Refusal): void {
    this.refused.push({ list, index, urn: result.urn, refusal });
    this.tell(list, index, { ...result, outcome: 'refused', refusal });
  }
}

/** @throws UnfitValue */
export function parametersOf(patch: PropertyPatch): Parameters {
  const parameters: Parameters = {};
  for (const key in patch) {
    try {
      parameters[key] = toNeo4j(patch[key] ?? null);
    } catch (error) {
      if (error instanceof TypeError) throw new UnfitValue(key, error.message);
      throw error;
    }
  }
  return parameters;
}

export const versionOf = (held: Held | undefined): number => Number(held?.version ?? 0);

export const isDeleted = (held: Held | undefined): boolean => (held?.deletedAt ?? null) !== null;

/** Id of the change that touched it last. A placeholder has been touched by the changes of its edges alone. */
export const previousChange = (held: Held | undefined): string | null =>
  versionOf(held) === 0 ? null : ((held?.lastChange as string | undefined) ?? null);

/** What is deleted keeps its version, but does not exist for those who ask for 0. */
export function staleVersion(ifVersion: number | undefined, held: Held | undefined): Refusal | undefined {
  const actual = versionOf(held);
  if (ifVersion === undefined || ifVersion === actual || (ifVersion === 0 && isDeleted(held))) return undefined;
  return {
    code: 'CONFLICT',
    field: 'ifVersion',
    message: `is at version ${actual}, not at the expected ${ifVersion}`,
    details: { expected: ifVersion, actual },
  };
}

export function append<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
