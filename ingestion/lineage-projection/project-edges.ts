import {
  type AssertionState,
  changesBetween,
  dateOf,
  edgeProperties,
  isTouched,
  joinWindows,
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

/** Projects the edges of the owners that assertions have changed: `FEEDS`, `PRODUCES`, and `DERIVES` between columns. */
export async function projectEdges(
  book: RecordBook,
  batch: ProjectedBatch,
  assertions: readonly Told<AssertionState>[],
): Promise<void> {
  const owners = changesByOwner(assertions);
  await book.load(
    [...owners].flatMap(([owner, { sides }]) => [
      [LONGEST, owner] as const,
      ...[...sides.keys()].map((key) => [SIDE, key] as const),
    ]),
  );
  const asked = [...owners].flatMap(([owner, changes]) => questionOf(book, owner, changes));
  const near = await assertionsNear(book, asked);
  for (const question of asked) patchOwner(book, question, near.get(question.owner) ?? []);
  await projectColumns(
    book,
    batch,
    asked.flatMap((question) => showEdges(book, batch, question)),
  );
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
    const note = noteOf(intervals, words);
    held.set(edge, { intervals, note: note === undefined ? (held.get(edge)?.note ?? null) : note });
  }
  for (const [key, side] of patched) book.put(SIDE, key, Object.fromEntries(side));
}

/** @returns the edges between columns, which several owners may share */
function showEdges(book: RecordBook, batch: ProjectedBatch, { owner, edges }: OwnerInQuestion): OwnedColumnEdge[] {
  const columns: OwnedColumnEdge[] = [];
  for (const { side, edge } of edges) {
    const record = recordOf(book.get(SIDE, keyOfSide(owner, side)) ?? {}, edge);
    if (record === undefined) continue;
    if (side === 'inputs') batch.edge('FEEDS', edge, owner, edgeProperties(record.intervals));
    else if (side === 'outputs') batch.edge('PRODUCES', owner, edge, edgeProperties(record.intervals));
    else columns.push({ owner, dataset: side.columnsOf, edge });
  }
  return columns;
}
