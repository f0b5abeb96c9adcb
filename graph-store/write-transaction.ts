import neo4j, { type ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import {
  CREATE_ENTITIES,
  createEdges,
  labelsOf,
  PURGE_ENTITIES,
  RECORD_CHANGE,
  SET_PROPERTIES,
  updateEdges,
  updateEntities,
} from '#graph-schema';
import { type KeptItems, packItems } from './change-items.js';
import { planEdges } from './edge-plan.js';
import type { WriteContext } from './graph-store.js';
import { readHeldState } from './held-state.js';
import { planNodes, planPurges } from './node-plan.js';
import { Places } from './places.js';
import { toNeo4j } from './property-values.js';
import { redactPurged } from './purge-redaction.js';
import type { Chunk } from './split-batch.js';
import { type Ends, type PlanInput, WritePlan } from './write-plan.js';

/** What a plan depends on beside the graph. */
export type PlanSettings = Pick<PlanInput, 'missingEnds' | 'refusedEntities' | 'changeId' | 'now'>;

/** Another transaction has made or removed a node between the look and the write: look again. */
export class Raced extends Error {
  override readonly name = 'Raced';
}

/**
 * Reads what a chunk is about and plans what to write. Nothing is written yet.
 * @param lock whether to take the locks of the chunk's nodes first: a plan made without them can be out of date at once
 */
export async function planChunk(
  tx: ManagedTransaction,
  chunk: Chunk,
  rest: PlanSettings,
  lock = true,
): Promise<{ input: PlanInput; plan: WritePlan }> {
  const input: PlanInput = { ...rest, chunk, ...(await readHeldState(tx, chunk, lock)) };
  const plan = new WritePlan();
  planNodes(input, plan);
  planEdges(input, plan);
  planPurges(input, plan);
  return { input, plan };
}

/**
 * Writes what was planned under the locks of the same transaction.
 * @param options.purgesHistory whether what the change log tells of the properties of purged nodes goes with them
 * @returns sequence of the change; null when nothing changes
 * @throws Raced when a node that was to be created is there by now
 */
export async function applyPlan(
  tx: ManagedTransaction,
  { changeId, now }: PlanInput,
  plan: WritePlan,
  context: WriteContext,
  { purgesHistory = true }: { readonly purgesHistory?: boolean } = {},
): Promise<number | null> {
  if (plan.items.length === 0) return null;
  // Before anything is written, since chains start at the latest change that a node or edge names.
  if (purgesHistory && plan.purges.length > 0) await redactPurged(tx, plan.purges, changeId);
  // Packed by another thread while the graph is being written.
  const kept = packItems(plan.items);
  kept.catch(() => undefined);
  const stamp = { change: changeId, now: toNeo4j(now) };
  await createNodes(tx, plan, stamp);
  for (const [kind, rows] of plan.updates) {
    await tx.run(kind === null ? SET_PROPERTIES : updateEntities(kind), { rows, ...stamp });
  }
  for (const [kind, edges] of plan.edgeCreations) await writeEdges(tx, createEdges(kind), edges, stamp);
  for (const [kind, edges] of plan.edgeUpdates) await writeEdges(tx, updateEdges(kind), edges, stamp);
  if (plan.purges.length > 0) await tx.run(PURGE_ENTITIES, { urns: plan.purges });
  return recordChange(tx, kept, changeId, now, context);
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

type PlannedEdge = Ends & { readonly set: Record<string, unknown>; readonly version?: number };

async function writeEdges(
  tx: ManagedTransaction,
  statement: string,
  edges: readonly PlannedEdge[],
  stamp: Record<string, unknown>,
): Promise<void> {
  const places = new Places();
  const rows = edges.map(({ from, to, set, version }) => {
    const ends = [places.of(from), places.of(to), set];
    return version === undefined ? ends : [...ends, version];
  });
  const done = await tx.run<{ written: number }>(statement, { urns: places.urns, rows, ...stamp });
  const written = done.records[0]?.get('written') ?? 0;
  // The ends are locked, so they cannot have gone.
  if (written !== rows.length) {
    throw new AppError('INTERNAL_SERVER_ERROR', `${written} of ${rows.length} edges were written`);
  }
}

async function recordChange(
  tx: ManagedTransaction,
  kept: Promise<KeptItems>,
  id: string,
  now: Date,
  context: WriteContext,
): Promise<number> {
  const { items, size } = await kept;
  const recorded = await tx.run<{ sequence: number }>(RECORD_CHANGE, {
    id,
    at: toNeo4j(now),
    actor: context.actor,
    runId: context.runId ?? null,
    items,
    size: neo4j.int(size),
  });
  const row = recorded.records[0];
  if (row === undefined) throw new AppError('INTERNAL_SERVER_ERROR', 'the graph has no change log: run its migrations');
  return row.get('sequence');
}
