import { captionOf } from '#graph-schema';
import { edgeKey } from './edge-key.js';
import type { EdgeDeletion, EdgeUpsert, Refusal } from './graph-store.js';
import { unfit } from './node-plan.js';
import { planPatch } from './patch-plan.js';
import { planUpsert } from './upsert-plan.js';
import {
  append,
  isDeleted,
  type PlanInput,
  parametersOf,
  previousChange,
  staleVersion,
  versionOf,
  type WritePlan,
} from './write-plan.js';

/** Runs after `planNodes`: an edge is judged by what its ends will be. */
export function planEdges(input: PlanInput, plan: WritePlan): void {
  if (input.chunk.edges.length > 0) {
    const ends = new Ends(input, plan);
    for (const { index, item } of input.chunk.edges) planEdge(input, plan, ends, index, item);
  }
  for (const { index, item } of input.chunk.edgeDeletions) planEdgeDeletion(input, plan, index, item);
}

function planEdge(input: PlanInput, plan: WritePlan, ends: Ends, index: number, item: EdgeUpsert): void {
  const { kind, from, to } = item;
  const held = input.edges.get(edgeKey(item));
  const version = versionOf(held);
  const refusedEnd = ends.refusal(item);
  const planned = refusedEnd === undefined ? planUpsert(item, held) : refusedEnd;
  const now = { urn: from, kind, to, outcome: planned.outcome, version };
  if (planned.outcome === 'refused') {
    plan.refuse('edges', index, now, planned.refusal);
    return;
  }
  if (planned.outcome === 'unchanged') {
    plan.tell('edges', index, now);
    return;
  }
  const { outcome, before, after } = planned;
  try {
    if (held === undefined) append(plan.edgeCreations, kind, { from, to, set: parametersOf(after) });
    else append(plan.edgeUpdates, kind, { from, to, version: version + 1, set: parametersOf(after) });
  } catch (error) {
    plan.refuse('edges', index, now, unfit(error));
    return;
  }
  ends.bringAbout(from);
  ends.bringAbout(to);
  plan.items.push({
    operation: outcome,
    urn: from,
    kind,
    to,
    version: version + 1,
    before,
    after,
    previous: previousChange(held),
  });
  plan.tell('edges', index, { urn: from, kind, to, outcome, version: version + 1 });
}

/** What is gone already is what was asked for, whichever version was expected. */
function planEdgeDeletion(input: PlanInput, plan: WritePlan, index: number, item: EdgeDeletion): void {
  const { kind, from, to } = item;
  const held = input.edges.get(edgeKey(item));
  const version = versionOf(held);
  const identity = { urn: from, kind, to };
  if (held === undefined || isDeleted(held)) {
    plan.tell('edgeDeletions', index, { ...identity, outcome: 'unchanged', version });
    return;
  }
  const stale = staleVersion(item.ifVersion, held);
  if (stale !== undefined) {
    plan.refuse('edgeDeletions', index, { ...identity, outcome: 'refused', version }, stale);
    return;
  }
  const { before, after } = planPatch(held, { deletedAt: input.now }) ?? { before: {}, after: {} };
  append(plan.edgeUpdates, kind, { from, to, version: version + 1, set: parametersOf(after) });
  plan.items.push({
    operation: 'deleted',
    ...identity,
    version: version + 1,
    before,
    after,
    previous: previousChange(held),
  });
  plan.tell('edgeDeletions', index, { ...identity, outcome: 'deleted', version: version + 1 });
}

/** The nodes at both sides of edges as they will be after the batch's own changes of nodes. */
class Ends {
  readonly #input: PlanInput;
  readonly #plan: WritePlan;
  readonly #refused: ReadonlySet<string>;
  readonly #deleted: ReadonlySet<string>;
  readonly #alive: ReadonlySet<string>;

  constructor(input: PlanInput, plan: WritePlan) {
    this.#input = input;
    this.#plan = plan;
    this.#refused = new Set([
      ...input.refusedEntities,
      ...plan.refused.filter(({ list }) => list === 'entities').map(({ urn }) => urn),
    ]);
    const done = plan.results.filter(({ result }) => result.outcome !== 'refused');
    this.#deleted = new Set(done.filter(({ list }) => list === 'deletions').map(({ result }) => result.urn));
    this.#alive = new Set(done.filter(({ list }) => list === 'entities').map(({ result }) => result.urn));
  }

  refusal(edge: EdgeUpsert): { outcome: 'refused'; refusal: Refusal } | undefined {
    for (const field of ['from', 'to'] as const) {
      const why = this.#whyNot(edge[field]);
      if (why === undefined) continue;
      const refusal = { code: 'NOT_FOUND', field, message: `names ${edge[field]}, which ${why}` } as const;
      return { outcome: 'refused', refusal: { ...refusal, details: { end: edge[field] } } };
    }
    return undefined;
  }

  #whyNot(urn: string): string | undefined {
    if (this.#alive.has(urn)) return undefined;
    const held = this.#input.nodes.get(urn);
    if (held === undefined && this.#refused.has(urn)) return 'was refused in the same batch';
    if (this.#input.missingEnds === 'create') return undefined;
    if (versionOf(held) === 0) return 'does not exist: create it first';
    return isDeleted(held) || this.#deleted.has(urn) ? 'is deleted' : undefined;
  }

  /** A placeholder for an end that does not exist, to be filled in when its entity arrives. */
  bringAbout(urn: string): void {
    const { nodes } = this.#input;
    if (nodes.has(urn) || this.#plan.creations.has(urn)) return;
    const set = parametersOf({ name: captionOf(urn), placeholder: true, version: 0 });
    this.#plan.creations.set(urn, { kind: null, set });
  }
}
