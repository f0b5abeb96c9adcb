import {
  type AssertionState,
  changesBetween,
  claimsOn,
  dateOf,
  type EditState,
  edgeProperties,
  isTouched,
  joinWindows,
  mergeEditWords,
  noteOf,
  patchValidity,
  runOfSource,
  type Side,
  type Window,
} from '../openlineage/index.js';
import { assertionsNear, type EdgeInQuestion, type OwnerInQuestion, wordsOn } from './near-assertions.js';
import { type OwnedColumnEdge, projectColumns } from './project-columns.js';
import type { ProjectedBatch } from './projected-batch.js';
import type { RecordBook } from './record-book.js';
import { type EdgeRecord, keyOfSide, LONGEST, recordOf, SIDE, spanOf } from './record-kinds.js';
import { editOf, manualProperty, shownIntervals } from './shown-edge.js';
import type { Told } from './told-changes.js';

/** What changes on one side of an owner. */
interface SideInQuestion {
  readonly side: Side;
  /** Edges that are named, new or not. */
  readonly named: Set<string>;
  /** Window for all others; null when nothing changes for them. */
  others: Window | null;
}

interface OwnerChanges {
  window: Window | null;
  longestMs: number;
  /** By `keyOfSide`. */
  readonly sides: Map<string, SideInQuestion>;
}

/** An edge that may have changed, and whether there was anything to be seen of it before. */
interface TouchedEdge {
  readonly owner: string;
  readonly side: Side;
  readonly edge: string;
  readonly wasShown: boolean;
}

/**
 * Projects the edges of the owners that assertions and edits have changed: `FEEDS`, `PRODUCES`, and `DERIVES` between columns. One
 * that nobody vouches for any more, its runs having been rolled back, stays without a time at which it was valid, so that no view
 * but EVER has it.
 */
export async function projectEdges(
  book: RecordBook,
  batch: ProjectedBatch,
  { assertions, edits }: { readonly assertions: readonly Told<AssertionState>[]; readonly edits: readonly EditState[] },
): Promise<void> {
  const owners = changesByOwner(assertions);
  await book.load(
    [...owners].flatMap(([owner, { sides }]) => [
      [LONGEST, owner] as const,
      ...[...sides.keys()].map((key) => [SIDE, key] as const),
    ]),
  );
  await book.load(edits.map(({ owner, side }) => [SIDE, keyOfSide(owner, side)] as const));
  const asked = [...owners].flatMap(([owner, changes]) => questionOf(book, owner, changes));
  const near = await assertionsNear(book, asked);
  const touched = touchedEdges(book, asked, edits);
  for (const question of asked) patchOwner(book, question, near.get(question.owner) ?? []);
  for (const edit of edits) keepEdit(book, edit);
  const columns = touched.flatMap((edge) => showEdge(book, batch, edge));
  await projectColumns(book, batch, [...columns, ...silentColumns(assertions)]);
}

/** Each once, as they are before anything of this write. */
function touchedEdges(
  book: RecordBook,
  asked: readonly OwnerInQuestion[],
  edits: readonly EditState[],
): readonly TouchedEdge[] {
  const named = [...asked.flatMap(({ owner, edges }) => edges.map((edge) => ({ owner, ...edge }))), ...edits];
  const touched = new Map<string, TouchedEdge>();
  for (const { owner, side, edge } of named) {
    const key = keyOfSide(owner, side);
    const record = recordOf(book.get(SIDE, key) ?? {}, edge);
    const wasShown = record !== undefined && shownIntervals(record).length > 0;
    touched.set(`${key} ${edge}`, { owner, side, edge, wasShown });
  }
  return [...touched.values()];
}

/** What a run names that was rolled back before says nothing of its edges; the columns are named all the same. */
function silentColumns(assertions: readonly Told<AssertionState>[]): OwnedColumnEdge[] {
  return assertions
    .filter(({ after }) => after.isRolledBack)
    .flatMap(({ before, after: { owner, columns } }) =>
      Object.entries(columns).flatMap(([dataset, claims]) => {
        const had = before === null ? {} : claimsOn(before, { columnsOf: dataset });
        const added = Object.keys(claims).filter((edge) => !Object.hasOwn(had, edge));
        return added.map((edge) => ({ owner, dataset, edge, wasShown: false }));
      }),
    );
}

function keepEdit(book: RecordBook, { owner, side, edge, words }: EditState): void {
  const key = keyOfSide(owner, side);
  const held = book.get(SIDE, key) ?? {};
  const record = recordOf(held, edge) ?? { intervals: [], note: null };
  const edits = mergeEditWords(record.edits ?? {}, words);
  book.put(SIDE, key, Object.fromEntries([...Object.entries(held), [edge, { ...record, edits }]]));
}

function changesByOwner(assertions: readonly Told<AssertionState>[]): Map<string, OwnerChanges> {
  const owners = new Map<string, OwnerChanges>();
  for (const { before, after } of assertions) {
    const changes = owners.get(after.owner) ?? { window: null, longestMs: 0, sides: new Map() };
    owners.set(after.owner, changes);
    changes.longestMs = Math.max(changes.longestMs, durationMs(after));
    for (const { side, named, others } of changesBetween(before, after)) {
      const key = keyOfSide(after.owner, side);
      const held = changes.sides.get(key) ?? { side, named: new Set<string>(), others: null };
      changes.sides.set(key, held);
      for (const { edge, window } of named) {
        held.named.add(edge);
        changes.window = joined(changes.window, window);
      }
      if (others === null) continue;
      held.others = joined(held.others, others);
      changes.window = joined(changes.window, others);
    }
  }
  return owners;
}

const joined = (a: Window | null, b: Window): Window => (a === null ? b : joinWindows(a, b));

/** Rounded up, as instants are cut to milliseconds. Events without a run take no time. */
function durationMs(assertion: AssertionState): number {
  const span = runOfSource(assertion.by) === null ? null : spanOf(assertion);
  return span === null ? 0 : dateOf(span.last).getTime() - dateOf(span.first).getTime() + 1;
}

function questionOf(book: RecordBook, owner: string, { window, longestMs, sides }: OwnerChanges): OwnerInQuestion[] {
  const longest = Math.max(longestMs, book.get(LONGEST, owner) ?? 0);
  if (longest > 0) book.put(LONGEST, owner, longest);
  if (window === null) return [];
  const edges = [...sides].flatMap(([key, { side, named, others }]): EdgeInQuestion[] => {
    const stored = book.get(SIDE, key) ?? {};
    const touched = Object.entries(stored)
      .filter(([edge, { intervals }]) => !named.has(edge) && others !== null && isTouched(intervals, others))
      .map(([edge]) => edge);
    return [...named, ...touched].map((edge) => ({ side, edge, stored: recordOf(stored, edge)?.intervals ?? [] }));
  });
  return [{ owner, window, longestMs: longest, edges }];
}

function patchOwner(
  book: RecordBook,
  { owner, window, edges }: OwnerInQuestion,
  assertions: readonly AssertionState[],
): void {
  const patched = new Map<string, Map<string, EdgeRecord>>();
  for (const { side, edge, stored } of edges) {
    const key = keyOfSide(owner, side);
    const held = patched.get(key) ?? new Map(Object.entries(book.get(SIDE, key) ?? {}));
    patched.set(key, held);
    const words = wordsOn(assertions, side, edge);
    const intervals = patchValidity(stored, window, words);
    const { note: known = null, ...others } = held.get(edge) ?? {};
    const told = intervals.length === 0 ? null : noteOf(intervals, words);
    held.set(edge, { ...others, intervals, note: told === undefined ? known : told });
  }
  for (const [key, side] of patched) book.put(SIDE, key, Object.fromEntries(side));
}

/** @returns the edge if it is one between columns, which several owners may share */
function showEdge(
  book: RecordBook,
  batch: ProjectedBatch,
  { owner, side, edge, wasShown }: TouchedEdge,
): OwnedColumnEdge[] {
  if (typeof side !== 'string') return [{ owner, dataset: side.columnsOf, edge, wasShown }];
  const record = recordOf(book.get(SIDE, keyOfSide(owner, side)) ?? {}, edge);
  if (record === undefined) return [];
  const intervals = shownIntervals(record);
  if (intervals.length === 0 && !wasShown) return [];
  const properties = { ...edgeProperties(intervals), ...manualProperty(editOf(record)) };
  if (side === 'inputs') batch.edge('FEEDS', edge, owner, properties);
  else batch.edge('PRODUCES', owner, edge, properties);
  return [];
}
