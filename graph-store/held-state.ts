import type { Integer, ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import { type LinkKindName, mostSpecificKind, READ_LABELS, readHeld } from '#graph-schema';
import { AskedKeys } from './asked-keys.js';
import { edgeKey } from './edge-key.js';
import { Places } from './places.js';
import type { Chunk } from './split-batch.js';
import type { Held, PlanInput } from './write-plan.js';

type HeldState = Pick<PlanInput, 'nodes' | 'edges' | 'kinds'>;

/**
 * What the graph holds of the nodes and edges that a chunk names.
 * @param lock whether the nodes are to be locked until the end of the transaction
 */
export async function readHeldState(tx: ManagedTransaction, chunk: Chunk, lock: boolean): Promise<HeldState> {
  const look = new Look(chunk, lock);
  const state: HeldState = { nodes: look.nodes, edges: look.edges, kinds: new Map() };
  if (look.isEmpty) return state;
  const found = await tx.run<HeldRow>(readHeld(lock, look.edgeKinds), look.parameters);
  for (const row of found.records) look.take(row.get('group'), row.get('place'), row.get('values'));
  return { ...state, kinds: await readKinds(tx, chunk, look.nodes) };
}

interface HeldRow {
  /** Place of the edge kind; null for a node. */
  readonly group: number | null;
  /** Place of the row that asked. */
  readonly place: number;
  /** Null stands for what does not exist. */
  readonly values: unknown[] | null;
}

/** The edges of one kind. */
interface AskedEdges {
  readonly kind: LinkKindName;
  readonly items: { readonly kind: LinkKindName; readonly from: string; readonly to: string }[];
  readonly from: Integer[];
  readonly to: Integer[];
  readonly keys: string[];
}

/** An end of edges, or a node that is only asked for if it is absent, about which nothing is odd; no more is known of it. */
const SOUND_END: Held = { version: 1 };

/** The question of one chunk, and its answer as it comes in. */
class Look {
  readonly nodes = new Map<string, Held>();
  readonly edges = new Map<string, Held>();
  readonly #asked: AskedKeys;
  readonly #urns: string[];
  /** Names of key lists; none for ends of edges, and for nodes of which no more matters than of ends. By urn. */
  readonly #namesOf = new Map<string, string | null>();
  readonly #groups: AskedEdges[];

  constructor(chunk: Chunk, toWrite: boolean) {
    this.#asked = new AskedKeys(toWrite);
    const edges = [...chunk.edges, ...chunk.edgeDeletions];
    for (const { item } of edges) this.#namesOf.set(item.from, null).set(item.to, null);
    for (const { item } of [...chunk.deletions, ...chunk.purges]) this.#namesOf.set(item.urn, 'own');
    for (const { item } of chunk.entities) {
      if (item.onlyIfAbsent) this.#asked.addToEnds(item);
      this.#namesOf.set(item.urn, item.onlyIfAbsent ? null : this.#asked.nameFor(item));
    }
    this.#urns = [...this.#namesOf.keys()];
    // The order of the locks.
    if (toWrite) this.#urns.sort();
    for (const [urn, name] of this.#namesOf) if (name === null) this.nodes.set(urn, SOUND_END);
    const places = new Places(edges.length === 0 ? [] : this.#urns);
    const groups = groupByKind(edges.map(({ item }) => item.kind));
    this.#groups = [...groups.values()];
    for (const { item } of edges) {
      const asked = groups.get(item.kind);
      if (asked === undefined) continue;
      asked.items.push(item);
      asked.from.push(places.of(item.from));
      asked.to.push(places.of(item.to));
      asked.keys.push(this.#asked.nameFor(item));
    }
  }

  get isEmpty(): boolean {
    return this.#urns.length === 0;
  }

  get edgeKinds(): LinkKindName[] {
    return this.#groups.map(({ kind }) => kind);
  }

  get parameters() {
    const edges = this.#groups.map(({ from, to, keys }) => ({ from, to, keys }));
    const asked = this.#urns.map((urn) => this.#namesOf.get(urn) ?? null);
    return { urns: this.#urns, asked, keys: this.#asked.lists, edges };
  }

  take(group: number | null, place: number, values: unknown[] | null): void {
    if (group !== null) {
      const asked = at(this.#groups, group);
      this.edges.set(edgeKey(at(asked.items, place)), this.#asked.properties(at(asked.keys, place), values ?? []));
      return;
    }
    const urn = at(this.#urns, place);
    if (values === null) this.nodes.delete(urn);
    else this.nodes.set(urn, this.#asked.properties(this.#namesOf.get(urn) ?? 'own', values));
  }
}

/** Sorted, so that batches of the same kinds are one statement to Neo4j, which it plans once. */
function groupByKind(kinds: readonly LinkKindName[]): Map<LinkKindName, AskedEdges> {
  const names = [...new Set(kinds)].sort();
  return new Map(names.map((kind) => [kind, { kind, items: [], from: [], to: [], keys: [] }]));
}

function at<T>(rows: readonly T[], place: number): T {
  const row = rows[place];
  if (row === undefined)
    throw new AppError('INTERNAL_SERVER_ERROR', `Neo4j answers for row ${place}, which was not sent`);
  return row;
}

async function readKinds(
  tx: ManagedTransaction,
  chunk: Chunk,
  nodes: ReadonlyMap<string, Held>,
): Promise<Map<string, string>> {
  const urns = [...chunk.deletions, ...chunk.purges].map(({ item }) => item.urn).filter((urn) => nodes.has(urn));
  const kinds = new Map<string, string>();
  if (urns.length === 0) return kinds;
  const found = await tx.run<{ urn: string; labels: string[] }>(READ_LABELS, { urns });
  for (const row of found.records) {
    const kind = mostSpecificKind(row.get('labels'));
    if (kind !== undefined) kinds.set(row.get('urn'), kind);
  }
  return kinds;
}
