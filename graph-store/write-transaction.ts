import neo4j, { type ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import {
  CREATE_ENTITIES,
  createEdges,
  type LinkKindName,
  LOCK_ENTITIES,
  labelsOf,
  mostSpecificKind,
  PURGE_ENTITIES,
  READ_LABELS,
  RECORD_CHANGE,
  readEdges,
  SET_PROPERTIES,
  updateEdges,
  updateEntities,
} from '#graph-schema';
import { AskedKeys } from './asked-keys.js';
import { edgeKey } from './edge-key.js';
import { planEdges } from './edge-plan.js';
import type { WriteContext } from './graph-store.js';
import { planNodes, planPurges } from './node-plan.js';
import { toNeo4j } from './property-values.js';
import { redactPurged } from './purge-redaction.js';
import type { Chunk } from './split-batch.js';
import { append, type Held, type PlanInput, WritePlan } from './write-plan.js';

/** Another transaction has made or removed a node between the look and the write: look again. */
export class Raced extends Error {
  override readonly name = 'Raced';
}

/** Takes the locks of a chunk's nodes and plans what to write. Nothing is written yet. */
export async function planChunk(
  tx: ManagedTransaction,
  chunk: Chunk,
  rest: Pick<PlanInput, 'missingEnds' | 'refusedEntities' | 'changeId' | 'now'>,
): Promise<{ input: PlanInput; plan: WritePlan }> {
  const nodes = await lockNodes(tx, chunk);
  const kinds = await readKinds(tx, chunk, nodes);
  const edges = await lookUpEdges(tx, chunk, nodes);
  const input: PlanInput = { ...rest, chunk, nodes, edges, kinds };
  const plan = new WritePlan();
  planNodes(input, plan);
  planEdges(input, plan);
  planPurges(input, plan);
  return { input, plan };
}

/**
 * Writes what was planned under the locks of the same transaction.
 * @returns sequence of the change; null when nothing changes
 * @throws Raced when a node that was to be created is there by now
 */
export async function applyPlan(
  tx: ManagedTransaction,
  { changeId, now }: PlanInput,
  plan: WritePlan,
  context: WriteContext,
): Promise<number | null> {
  if (plan.items.length === 0) return null;
  // Before anything is written, since chains start at the latest change that a node or edge names.
  if (plan.purges.length > 0) await redactPurged(tx, plan.purges, changeId);
  const stamp = { change: changeId, now: toNeo4j(now) };
  await createNodes(tx, plan, stamp);
  for (const [kind, rows] of plan.updates) {
    await tx.run(kind === null ? SET_PROPERTIES : updateEntities(kind), { rows, ...stamp });
  }
  for (const [kind, rows] of plan.edgeCreations) await tx.run(createEdges(kind), { rows, ...stamp });
  for (const [kind, rows] of plan.edgeUpdates) await tx.run(updateEdges(kind), { rows, ...stamp });
  if (plan.purges.length > 0) await tx.run(PURGE_ENTITIES, { urns: plan.purges });
  return recordChange(tx, plan, changeId, now, context);
}

/** An end of edges about which nothing is odd; no more is known of it. */
const SOUND_END: Held = { version: 1 };

async function lockNodes(tx: ManagedTransaction, chunk: Chunk): Promise<Map<string, Held>> {
  const asked = new AskedKeys();
  const rowOf = new Map<string, [urn: string, keys: string, isEnd: boolean]>();
  const ownKeys = asked.nameFor(undefined);
  for (const { item } of [...chunk.edges, ...chunk.edgeDeletions]) {
    rowOf.set(item.from, [item.from, ownKeys, true]).set(item.to, [item.to, ownKeys, true]);
  }
  for (const { item } of [...chunk.deletions, ...chunk.purges]) rowOf.set(item.urn, [item.urn, ownKeys, false]);
  for (const { item } of chunk.entities) rowOf.set(item.urn, [item.urn, asked.nameFor(item), false]);
  const nodes = new Map<string, Held>();
  if (rowOf.size === 0) return nodes;
  const rows = [...rowOf.values()].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [urn, , isEnd] of rows) if (isEnd) nodes.set(urn, SOUND_END);
  const found = await tx.run<HeldRow>(LOCK_ENTITIES, { rows, keys: asked.lists });
  for (const record of found.records) {
    const [urn, keys] = at(rows, record.get('place'));
    const values = record.get('values');
    if (values === null) nodes.delete(urn);
    else nodes.set(urn, asked.properties(keys, values));
  }
  return nodes;
}

interface HeldRow {
  /** Place of its row in the parameter. */
  readonly place: number;
  /** Null stands for what does not exist. */
  readonly values: unknown[] | null;
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

async function lookUpEdges(
  tx: ManagedTransaction,
  chunk: Chunk,
  nodes: ReadonlyMap<string, Held>,
): Promise<Map<string, Held>> {
  const asked = new AskedKeys();
  const groups = new Map<LinkKindName, [from: string, to: string, keys: string][]>();
  for (const { item } of [...chunk.edges, ...chunk.edgeDeletions]) {
    // An edge needs both ends.
    if (!nodes.has(item.from) || !nodes.has(item.to)) continue;
    append(groups, item.kind, [item.from, item.to, asked.nameFor(item)]);
  }
  const edges = new Map<string, Held>();
  for (const [kind, rows] of groups) {
    const found = await tx.run<HeldRow>(readEdges(kind), { rows, keys: asked.lists });
    for (const record of found.records) {
      const [from, to, keys] = at(rows, record.get('place'));
      edges.set(edgeKey({ kind, from, to }), asked.properties(keys, record.get('values') ?? []));
    }
  }
  return edges;
}

/** @throws Raced */
async function createNodes(
  tx: ManagedTransaction,
  plan: WritePlan,
  stamp: { change: string; now: unknown },
): Promise<void> {
  if (plan.creations.size === 0) return;
  const rows = [...plan.creations]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([urn, { kind, set }]) => ({ urn, set, labels: kind === null ? [] : labelsOf(kind) }));
  const created = await tx.run<{ urn: string }>(CREATE_ENTITIES, { rows, ...stamp });
  const raced = created.records[0];
  if (raced !== undefined) throw new Raced(raced.get('urn'));
}

async function recordChange(
  tx: ManagedTransaction,
  plan: WritePlan,
  id: string,
  now: Date,
  context: WriteContext,
): Promise<number> {
  const items = JSON.stringify(plan.items);
  const recorded = await tx.run<{ sequence: number }>(RECORD_CHANGE, {
    id,
    at: toNeo4j(now),
    actor: context.actor,
    runId: context.runId ?? null,
    items,
    size: neo4j.int(items.length),
  });
  const row = recorded.records[0];
  if (row === undefined) throw new AppError('INTERNAL_SERVER_ERROR', 'the graph has no change log: run its migrations');
  return row.get('sequence');
}
