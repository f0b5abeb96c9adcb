import {
  type AssertionState,
  before,
  compareMoments,
  type Interval,
  type Moment,
  type Side,
  type Window,
  type Word,
  wordOn,
} from '../openlineage/index.js';
import type { Neighbourhood, RecordBook } from './record-book.js';
import { ASSERTION, seriesOfAssertions } from './record-kinds.js';

/** An edge whose validity may have changed. */
export interface EdgeInQuestion {
  readonly side: Side;
  /** Urn of the data set, or `columnEdgeKey`. */
  readonly edge: string;
  /** Its validity before. */
  readonly stored: readonly Interval[];
}

export interface OwnerInQuestion {
  readonly owner: string;
  readonly window: Window;
  /** The longest that one of its sources has spoken, in milliseconds. */
  readonly longestMs: number;
  readonly edges: readonly EdgeInQuestion[];
}

/** Runs mostly come in order: then nothing is needed beyond their own, and one on each side shows that. */
const REACH = 1;

/**
 * By owner, what its sources say near its window: all that `patchValidity` asks for.
 */
export async function assertionsNear(
  book: RecordBook,
  owners: readonly OwnerInQuestion[],
): Promise<ReadonlyMap<string, readonly AssertionState[]>> {
  const near = await book.around(
    ASSERTION,
    owners.map((question) => ({
      series: seriesOfAssertions(question.owner),
      from: question.window.from.at,
      to: question.window.to.at,
      since: before(question.window.from.at, question.longestMs),
      isEnough: (here) => isEnough(question, here),
    })),
    REACH,
  );
  return new Map(owners.map(({ owner }, index) => [owner, near[index]?.values ?? []]));
}

export function wordsOn(assertions: readonly AssertionState[], side: Side, edge: string): Word[] {
  return assertions.map((assertion) => wordOn(assertion, side, edge)).filter((word) => word !== null);
}

function isEnough({ window, edges }: OwnerInQuestion, near: Neighbourhood<AssertionState>): boolean {
  if (near.wholeSince === null && near.wholeUntil === null) return true;
  return edges.every(({ side, edge, stored }) => {
    const words = wordsOn(near.values, side, edge);
    return (
      hasLatestBefore(words, stored, window, near.wholeSince) && hasNextAfter(words, stored, window, near.wholeUntil)
    );
  });
}

/** Rule 3 of `patchValidity`: the latest claim before the window, where an interval reaches into it. */
function hasLatestBefore(
  words: readonly Word[],
  stored: readonly Interval[],
  { from }: Window,
  wholeSince: string | null,
): boolean {
  const isNeeded = stored.some(({ first, last }) => compareMoments(first, from) < 0 && compareMoments(last, from) >= 0);
  return (
    !isNeeded ||
    wholeSince === null ||
    momentsOfClaims(words).some((moment) => compareMoments(moment, from) < 0 && moment.at > wholeSince)
  );
}

/** Rules 2 and 4: the first claim after the window where an interval goes on, and the first denial where none does. */
function hasNextAfter(
  words: readonly Word[],
  stored: readonly Interval[],
  { to }: Window,
  wholeUntil: string | null,
): boolean {
  if (wholeUntil === null) return true;
  const isNext = (moment: Moment) => compareMoments(moment, to) > 0 && moment.at < wholeUntil;
  const across = stored.find(
    ({ first, closed }) => compareMoments(first, to) <= 0 && (closed === null || compareMoments(closed, to) > 0),
  );
  if (across === undefined) {
    const denials = words.flatMap((word) => (word.is === 'denial' ? [{ at: word.at, by: word.by }] : []));
    return denials.some(isNext) || stored.some(({ first }) => isNext(first));
  }
  const goesOn = compareMoments(across.last, to) > 0;
  return !goesOn || words.some((word) => word.is === 'claim' && isNext({ at: word.span.first, by: word.by }));
}

function momentsOfClaims(words: readonly Word[]): Moment[] {
  return words.flatMap((word) =>
    word.is === 'claim'
      ? [
          { at: word.span.first, by: word.by },
          { at: word.span.last, by: word.by },
        ]
      : [],
  );
}
