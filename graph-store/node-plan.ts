import { captionOf } from '#graph-schema';
import type { Deletion, EntityUpsert, Refusal } from './graph-store.js';
import { planPatch } from './patch-plan.js';
import { planUpsert } from './upsert-plan.js';
import {
  append,
  isDeleted,
  type PlanInput,
  parametersOf,
  previousChange,
  staleVersion,
  UnfitValue,
  versionOf,
  type WritePlan,
} from './write-plan.js';

export function planNodes(input: PlanInput, plan: WritePlan): void {
  for (const { index, item } of input.chunk.entities) planEntity(input, plan, index, item);
  for (const { index, item } of input.chunk.deletions) planDeletion(input, plan, index, item);
}

/** Runs last: what is purged takes its edges with it. */
export function planPurges(input: PlanInput, plan: WritePlan): void {
  for (const { index, item } of input.chunk.purges) planPurge(input, plan, index, item);
}

function planEntity(input: PlanInput, plan: WritePlan, index: number, item: EntityUpsert): void {
  const { urn, kind } = item;
  const held = input.nodes.get(urn);
  const version = versionOf(held);
  if (item.onlyIfAbsent && version > 0 && !isDeleted(held)) {
    // As of an end of edges, no more is read of it than that it is there.
    plan.tell('entities', index, { urn, outcome: 'unchanged', version: 0 });
    return;
  }
  const name = item.name ?? (version === 0 ? captionOf(urn) : undefined);
  const planned = planUpsert(item, held, name === undefined ? {} : { name });
  const now = { urn, outcome: planned.outcome, version };
  if (planned.outcome === 'refused') {
    plan.refuse('entities', index, now, planned.refusal);
    return;
  }
  if (planned.outcome === 'unchanged') {
    plan.tell('entities', index, now);
    return;
  }
  const { outcome, before, after } = planned;
  try {
    if (held === undefined) {
      plan.creations.set(urn, { kind, set: parametersOf(after) });
    } else {
      const patch = version === 0 ? { ...after, placeholder: null } : after;
      append(plan.updates, kind, { urn, version: version + 1, set: parametersOf(patch) });
    }
  } catch (error) {
    plan.refuse('entities', index, now, unfit(error));
    return;
  }
  plan.items.push({
    operation: outcome,
    urn,
    kind,
    version: version + 1,
    before,
    after,
    previous: previousChange(held),
  });
  plan.tell('entities', index, { urn, outcome, version: version + 1 });
}

function planDeletion(input: PlanInput, plan: WritePlan, index: number, item: Deletion): void {
  const { urn } = item;
  const held = input.nodes.get(urn);
  const version = versionOf(held);
  const now = { urn, outcome: 'refused', version } as const;
  if (held === undefined || version === 0 || isDeleted(held)) {
    plan.refuse('deletions', index, now, NOT_THERE);
    return;
  }
  const stale = staleVersion(item.ifVersion, held);
  if (stale !== undefined) {
    plan.refuse('deletions', index, now, stale);
    return;
  }
  const { before, after } = planPatch(held, { deletedAt: input.now }) ?? { before: {}, after: {} };
  append(plan.updates, null, { urn, version: version + 1, set: parametersOf(after) });
  plan.items.push({
    operation: 'deleted',
    urn,
    kind: input.kinds.get(urn) ?? BASE_KIND,
    version: version + 1,
    before,
    after,
    previous: previousChange(held),
  });
  plan.tell('deletions', index, { urn, outcome: 'deleted', version: version + 1 });
}

function planPurge(input: PlanInput, plan: WritePlan, index: number, item: Deletion): void {
  const { urn } = item;
  const held = input.nodes.get(urn);
  const version = versionOf(held);
  const now = { urn, outcome: 'refused', version } as const;
  if (held === undefined) {
    plan.refuse('purges', index, now, NOT_THERE);
    return;
  }
  const stale = staleVersion(item.ifVersion, held);
  if (stale !== undefined) {
    plan.refuse('purges', index, now, stale);
    return;
  }
  plan.purges.push(urn);
  plan.items.push({
    operation: 'purged',
    urn,
    kind: input.kinds.get(urn) ?? BASE_KIND,
    version: version + 1,
    before: {},
    after: {},
    previous: previousChange(held),
  });
  plan.tell('purges', index, { urn, outcome: 'purged', version: 0 });
}

/** What the log calls a node of which nothing but its urn is known. */
const BASE_KIND = 'Entity';

const NOT_THERE: Refusal = { code: 'NOT_FOUND', field: 'urn', message: 'does not exist' };

/** @throws error when it is of another sort */
export function unfit(error: unknown): Refusal {
  if (!(error instanceof UnfitValue)) throw error;
  return { code: 'BAD_USER_INPUT', field: `properties.${error.key}`, message: error.message };
}
