import { claimsOn, compareMoments, type Moment, type Word, wordOn } from './edge-validity.js';
import type { Window } from './edge-validity-patch.js';
import type { Side } from './lineage-claims.js';
import type { AssertionState } from './lineage-state.js';

/** What a change of one source may change on one side of its owner. */
export interface SideChange {
  readonly side: Side;
  /** The edges that the source names and says something new of, each with the window of `patchValidity`. */
  readonly named: readonly { readonly edge: string; readonly window: Window }[];
  /**
   * The window for every other edge that is stored on this side: the source may have begun to deny them, or have ceased to. Only
   * those that `isTouched` need a patch. Null when nothing changes for them.
   */
  readonly others: Window | null;
}

/**
 * Where validity may change when what one source says changes. Nothing, for an event that came twice. A run that goes on claiming
 * an edge gives a window that begins at its last claim before, so that long runs make small windows.
 *
 * @param before what is stored of the source; null when it is new
 */
export function changesBetween(before: AssertionState | null, after: AssertionState): readonly SideChange[] {
  const sides: Side[] = ['inputs', 'outputs', ...Object.keys(after.columns).map((columnsOf) => ({ columnsOf }))];
  return sides
    .map((side) => ({
      side,
      named: Object.keys(claimsOn(after, side)).flatMap((edge) => {
        const window = changedWindow(before, after, side, edge);
        return window === null ? [] : [{ edge, window }];
      }),
      others: changedWindow(before, after, side, NO_EDGE),
    }))
    .filter(({ named, others }) => named.length > 0 || others !== null);
}

/** Stands for any edge that the source does not name. */
const NO_EDGE = '';

function changedWindow(before: AssertionState | null, after: AssertionState, side: Side, edge: string): Window | null {
  const had = momentsOf(before === null ? null : wordOn(before, side, edge));
  const has = momentsOf(wordOn(after, side, edge));
  const changed = [...notIn(has, had), ...notIn(had, has)].sort(compareMoments);
  const [from] = changed;
  const to = changed.at(-1);
  return from === undefined || to === undefined ? null : { from, to };
}

/** By what happens in each, so that a denial which becomes a claim of the same time is a change. */
function momentsOf(word: Word | null): ReadonlyMap<string, Moment> {
  if (word === null) return new Map();
  const { by } = word;
  if (word.is === 'denial') return new Map([[`denied ${word.at}`, { at: word.at, by }]]);
  const { first, last, note } = word.span;
  return new Map([
    [`first ${first}`, { at: first, by }],
    [`last ${last} ${note}`, { at: last, by }],
  ]);
}

function notIn(moments: ReadonlyMap<string, Moment>, others: ReadonlyMap<string, Moment>): Moment[] {
  return [...moments].filter(([key]) => !others.has(key)).map(([, moment]) => moment);
}
