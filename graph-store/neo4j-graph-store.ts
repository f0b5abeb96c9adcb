import { randomUUID } from 'node:crypto';
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import {
  type EdgeKind,
  type EntityKind,
  LOCK_ENTITIES,
  lockEdges,
  lockExistingEdges,
  NEXT_SEQUENCE,
  RECORD_CHANGE,
  writeEdges,
  writeEntities,
} from '#graph-schema';
import type {
  ChangeItem,
  EdgeUpsert,
  EntityResult,
  EntityUpsert,
  GraphBatch,
  GraphStore,
  WriteContext,
  WriteReceipt,
} from './graph-store.js';
import { inWriteTransaction } from './neo4j-session.js';
import { type PropertyChange, planPatch } from './patch-plan.js';
import {
  type Properties,
  type PropertyPatch,
  type PropertyValue,
  propertiesFromNeo4j,
  toNeo4j,
} from './property-values.js';

type Held = Record<string, PropertyValue>;

/**
 * GraphStore on Neo4j. Each batch locks its nodes in urn order, compares what they hold with what is asked for, writes
 * only what differs and ends by taking the next number of the change log. Works on Community Edition.
 */
export class Neo4jGraphStore implements GraphStore {
  readonly #driver: Driver;
  readonly #now: () => Date;

  constructor(driver: Driver, options: { now?: () => Date } = {}) {
    this.#driver = driver;
    this.#now = options.now ?? (() => new Date());
  }

  upsertEntity(entity: EntityUpsert, context: WriteContext): Promise<WriteReceipt> {
    return this.write({ entities: [entity] }, context);
  }

  upsertEdge(edge: EdgeUpsert, context: WriteContext): Promise<WriteReceipt> {
    return this.write({ edges: [edge] }, context);
  }

  async write(batch: GraphBatch, context: WriteContext): Promise<WriteReceipt> {
    refuseDuplicates(batch);
    return inWriteTransaction(this.#driver, async (tx) => {
      const now = this.#now();
      const held = await lockEntities(tx, batch, now);
      const items: ChangeItem[] = [];
      const results = [
        ...(await applyEntities(tx, batch.entities ?? [], held, now, items)),
        ...(await applyDeletions(tx, batch.deletions ?? [], held, now, items)),
      ];
      await applyEdges(tx, batch.edges ?? [], { deletedAt: null }, now, items);
      await applyEdges(tx, batch.edgeDeletions ?? [], { deletedAt: now }, now, items);
      return { sequence: items.length === 0 ? null : await recordChange(tx, items, context, now), entities: results };
    });
  }
}

async function lockEntities(tx: ManagedTransaction, batch: GraphBatch, now: Date): Promise<Map<string, Held>> {
  const urns = new Set<string>();
  for (const entity of batch.entities ?? []) urns.add(entity.urn);
  for (const edge of [...(batch.edges ?? []), ...(batch.edgeDeletions ?? [])]) urns.add(edge.from).add(edge.to);
  for (const urn of batch.deletions ?? []) urns.add(urn);
  const result = await tx.run<{ urn: string; properties: Record<string, unknown> }>(LOCK_ENTITIES, {
    urns: [...urns].sort(),
    now: toNeo4j(now),
  });
  return new Map(result.records.map((row) => [row.get('urn'), propertiesFromNeo4j(row.get('properties'))]));
}

async function applyEntities(
  tx: ManagedTransaction,
  entities: readonly EntityUpsert[],
  held: ReadonlyMap<string, Held>,
  now: Date,
  items: ChangeItem[],
): Promise<EntityResult[]> {
  const rows = new Map<EntityKind, { urn: string; set: Record<string, unknown> }[]>();
  const results: EntityResult[] = [];
  for (const entity of entities) {
    const current = heldOf(held, entity.urn);
    checkVersion(entity, current);
    const version = Number(current.version);
    const plan = planPatch(current, {
      ...missing(entity.initial, current),
      ...entity.properties,
      name: entity.name,
      placeholder: null,
      deletedAt: null,
    });
    if (plan === undefined && version > 0) {
      results.push({ urn: entity.urn, outcome: 'unchanged', version });
      continue;
    }
    const outcome = version === 0 ? 'created' : 'updated';
    append(rows, entity.kind, { urn: entity.urn, set: patchParameters(plan, version + 1, now) });
    items.push({ operation: outcome, urn: entity.urn, kind: entity.kind, version: version + 1, ...shown(plan) });
    results.push({ urn: entity.urn, outcome, version: version + 1 });
  }
  for (const [kind, group] of rows) await tx.run(writeEntities(kind), { rows: group });
  return results;
}

async function applyDeletions(
  tx: ManagedTransaction,
  urns: readonly string[],
  held: ReadonlyMap<string, Held>,
  now: Date,
  items: ChangeItem[],
): Promise<EntityResult[]> {
  const results: EntityResult[] = [];
  const rows: { urn: string; set: Record<string, unknown> }[] = [];
  for (const urn of [...urns].sort()) {
    const current = heldOf(held, urn);
    const version = Number(current.version);
    if (version === 0 || current.deletedAt !== undefined) {
      throw new AppError('NOT_FOUND', `${urn} does not exist`, { details: { urn } });
    }
    const plan = planPatch(current, { deletedAt: now });
    rows.push({ urn, set: patchParameters(plan, version + 1, now) });
    items.push({ operation: 'deleted', urn, kind: 'Entity', version: version + 1, ...shown(plan) });
    results.push({ urn, outcome: 'deleted', version: version + 1 });
  }
  if (rows.length > 0) await tx.run(SET_PROPERTIES, { rows });
  return results;
}

const SET_PROPERTIES = 'UNWIND $rows AS row MATCH (n:Entity {urn: row.urn}) SET n += row.set';

async function applyEdges(
  tx: ManagedTransaction,
  edges: readonly EdgeUpsert[],
  life: { deletedAt: Date | null },
  now: Date,
  items: ChangeItem[],
): Promise<void> {
  const groups = new Map<EdgeKind, EdgeUpsert[]>();
  for (const edge of edges) append(groups, edge.kind, edge);
  for (const [kind, group] of groups) {
    const lock = life.deletedAt === null ? lockEdges(kind) : lockExistingEdges(kind);
    const locked = await tx.run<{ from: string; to: string; properties: Record<string, unknown> }>(lock, {
      rows: group.map(({ from, to }) => ({ from, to })),
      now: toNeo4j(now),
    });
    const held = new Map(
      locked.records.map((row) => [
        edgeKey(row.get('from'), row.get('to')),
        propertiesFromNeo4j(row.get('properties')),
      ]),
    );
    const rows: { from: string; to: string; set: Record<string, unknown> }[] = [];
    for (const edge of group) {
      const current = held.get(edgeKey(edge.from, edge.to));
      const deleting = life.deletedAt !== null;
      if (current === undefined || (deleting && current.deletedAt !== undefined)) continue;
      const version = Number(current.version);
      const plan = planPatch(current, { ...edge.properties, ...life });
      if (plan === undefined && version > 0) continue;
      rows.push({ from: edge.from, to: edge.to, set: patchParameters(plan, version + 1, now) });
      items.push({
        operation: deleting ? 'deleted' : version === 0 ? 'created' : 'updated',
        urn: edge.from,
        kind,
        to: edge.to,
        version: version + 1,
        ...shown(plan),
      });
    }
    if (rows.length > 0) await tx.run(writeEdges(kind), { rows });
  }
}

async function recordChange(
  tx: ManagedTransaction,
  items: readonly ChangeItem[],
  context: WriteContext,
  now: Date,
): Promise<number> {
  const counter = await tx.run<{ sequence: number }>(NEXT_SEQUENCE, { lockedBy: randomUUID() });
  const row = counter.records[0];
  if (row === undefined) throw new AppError('INTERNAL_SERVER_ERROR', 'the graph has no change log: run its migrations');
  const sequence = row.get('sequence');
  await tx.run(RECORD_CHANGE, {
    sequence: toNeo4j(sequence),
    at: toNeo4j(now),
    actor: context.actor,
    runId: context.runId ?? null,
    urns: [...new Set(items.flatMap((item) => (item.to === undefined ? [item.urn] : [item.urn, item.to])))],
    items: JSON.stringify(items),
  });
  return sequence;
}

function checkVersion(entity: EntityUpsert, current: Held): void {
  if (entity.ifVersion === undefined || entity.ifVersion === current.version) return;
  // A deleted node keeps its version, but does not exist for those who ask for that.
  if (entity.ifVersion === 0 && current.deletedAt !== undefined) return;
  throw new AppError(
    'CONFLICT',
    `${entity.urn} is at version ${String(current.version)}, not at the expected ${entity.ifVersion}`,
    { details: { urn: entity.urn, expected: entity.ifVersion, actual: current.version } },
  );
}

/** Two upserts or deletions of one node in a batch would each be compared with the state before both. */
function refuseDuplicates({ entities = [], deletions = [] }: GraphBatch): void {
  const seen = new Set<string>();
  for (const urn of [...entities.map((entity) => entity.urn), ...deletions]) {
    if (seen.has(urn)) throw new AppError('BAD_USER_INPUT', `the batch holds ${urn} twice`, { details: { urn } });
    seen.add(urn);
  }
}

function heldOf(held: ReadonlyMap<string, Held>, key: string): Held {
  const current = held.get(key);
  if (current === undefined) throw new AppError('INTERNAL_SERVER_ERROR', `${key} was locked but not returned`);
  return current;
}

function patchParameters(plan: PropertyChange | undefined, version: number, now: Date): Record<string, unknown> {
  const patch: PropertyPatch = { ...plan?.after, version, updatedAt: now };
  return Object.fromEntries(Object.entries(patch).map(([key, value]) => [key, toNeo4j(value)]));
}

/** `placeholder` is bookkeeping: a reader of the change log sees the creation itself. */
function shown(plan: PropertyChange | undefined): Pick<ChangeItem, 'before' | 'after'> {
  const { placeholder: _before, ...before } = plan?.before ?? {};
  const { placeholder: _after, ...after } = plan?.after ?? {};
  return { before, after };
}

function missing(initial: Properties | undefined, current: Held): Properties {
  return Object.fromEntries(Object.entries(initial ?? {}).filter(([key]) => current[key] === undefined));
}

const edgeKey = (from: string, to: string): string => `${from} ${to}`;

function append<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
