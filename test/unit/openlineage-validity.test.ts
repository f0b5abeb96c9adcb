import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn, runUrn } from '#graph-schema';
import {
  type AssertionState,
  changesBetween,
  claimsOn,
  compareMoments,
  type EventTime,
  type Interval,
  isTouched,
  joinWindows,
  type LineageState,
  mergeStates,
  NO_STATE,
  noteOf,
  patchValidity,
  readEventTime,
  type Side,
  validityOf,
  type Window,
  type Word,
  wordOn,
} from '../../ingestion/openlineage/index.js';
import { jobEvent, meetingEvents, minute, runEvent, stateOfEvent } from '../support/openlineage-events.js';

const JOB = formatUrn('job', ['shop', 'copy_orders']);
const data = (name: string) => datasetUrn('data', name);

type Told = [type: string, run: string, at: number, inputs: string[]];

function event([eventType, runId, at, inputs]: Told) {
  return runEvent({
    eventType,
    eventTime: minute(at),
    run: { runId },
    inputs: inputs.map((name) => ({ namespace: 'data', name })),
  });
}

function assertionsOfJob(state: LineageState, owner: string): AssertionState[] {
  return Object.values(state.assertions).filter((assertion) => assertion.owner === owner);
}

function wordsOf(assertions: readonly AssertionState[], side: Side, edge: string): Word[] {
  return assertions.map((assertion) => wordOn(assertion, side, edge)).filter((word) => word !== null);
}

/** Validity of the edge from data set `a`, in minutes and last letters of the runs. */
function validity(...events: Told[]): string[] {
  const state = events.map((told) => stateOfEvent(event(told))).reduce(mergeStates, NO_STATE);
  return validityOf(wordsOf(assertionsOfJob(state, JOB), 'inputs', data('a'))).map(shown);
}

function shown({ first, last, closed }: Interval): string {
  const minuteOf = (at: string) => Number(at.slice(11, 13)) * 60 + Number(at.slice(14, 16));
  const end = closed === null ? 'open' : `${minuteOf(closed.at)} by ${closed.by.slice(-2)}`;
  return `${minuteOf(first.at)} by ${first.by.slice(-2)} … ${minuteOf(last.at)} by ${last.by.slice(-2)}, ${end}`;
}

describe('an edge of a job', () => {
  it('is valid from its first assertion on, and knows its first and its last run', () => {
    expect(validity(['COMPLETE', 'r1', 1, ['a']], ['COMPLETE', 'r2', 2, ['a', 'b']])).toEqual([
      '1 by r1 … 2 by r2, open',
    ]);
  });

  it.each(['START', 'RUNNING', 'FAIL', 'ABORT', 'OTHER', 'COMPLETE'])('is asserted by an event of type %s', (type) => {
    expect(validity([type, 'r1', 1, ['a']])).toEqual(['1 by r1 … 1 by r1, open']);
  });

  it('ends when a later run completes with others and without it', () => {
    expect(validity(['COMPLETE', 'r1', 1, ['a']], ['COMPLETE', 'r2', 5, ['b']])).toEqual([
      '1 by r1 … 1 by r1, 5 by r2',
    ]);
  });

  it.each<[string, Told[]]>([
    ['fails', [['FAIL', 'r2', 5, ['b']]]],
    ['does not end', [['START', 'r2', 5, ['b']]]],
    [
      'completes and fails',
      [
        ['COMPLETE', 'r2', 5, ['b']],
        ['FAIL', 'r2', 6, []],
      ],
    ],
    ['completes and names nothing on that side', [['COMPLETE', 'r2', 5, []]]],
    ['completes before', [['COMPLETE', 'r2', 0, ['b']]]],
    [
      'names it in another of its events',
      [
        ['START', 'r2', 4, ['a']],
        ['COMPLETE', 'r2', 5, ['b']],
      ],
    ],
  ])('goes on when another run %s', (_, events) => {
    expect(validity(['COMPLETE', 'r1', 1, ['a']], ...events)[0]).toMatch(/, open$/);
  });

  it('may begin again', () => {
    expect(
      validity(
        ['COMPLETE', 'r1', 1, ['a']],
        ['COMPLETE', 'r2', 2, ['b']],
        ['COMPLETE', 'r3', 3, ['a']],
        ['COMPLETE', 'r4', 4, ['b']],
      ),
    ).toEqual(['1 by r1 … 1 by r1, 2 by r2', '3 by r3 … 3 by r3, 4 by r4']);
  });

  it('ends when the run that went without it completes, with what it has named earlier', () => {
    expect(validity(['COMPLETE', 'r1', 1, ['a']], ['START', 'r2', 2, ['b']], ['COMPLETE', 'r2', 6, []])).toEqual([
      '1 by r1 … 1 by r1, 6 by r2',
    ]);
  });

  it('is not broken off while a run that names it is under way', () => {
    expect(validity(['START', 'r1', 1, ['a']], ['COMPLETE', 'r2', 5, ['b']], ['COMPLETE', 'r1', 9, ['a']])).toEqual([
      '1 by r1 … 9 by r1, open',
    ]);
  });

  it('of two runs at one time follows the order of their ids', () => {
    expect(validity(['COMPLETE', 'r1', 3, ['a']], ['COMPLETE', 'r2', 3, ['b']])).toEqual([
      '3 by r1 … 3 by r1, 3 by r2',
    ]);
    expect(validity(['COMPLETE', 'r2', 3, ['a']], ['COMPLETE', 'r1', 3, ['b']])).toEqual(['3 by r2 … 3 by r2, open']);
  });

  it('is asserted by Job events, too, which end nothing', () => {
    const state = [
      event(['COMPLETE', 'r1', 1, ['b']]),
      jobEvent({ eventTime: minute(2), inputs: [{ namespace: 'data', name: 'a' }] }),
      jobEvent({ eventTime: minute(4), inputs: [{ namespace: 'data', name: 'c' }] }),
    ]
      .map(stateOfEvent)
      .reduce(mergeStates, NO_STATE);
    const assertions = assertionsOfJob(state, JOB);
    const validityFrom = (name: string) => validityOf(wordsOf(assertions, 'inputs', data(name)));
    expect(validityFrom('a')).toMatchObject([{ closed: null }]);
    expect(validityFrom('b')).toMatchObject([{ first: { by: runUrn('r1') }, closed: null }]);
  });

  it('does not depend on the order of what is said', () => {
    const told = fc.array(meetingEvents, { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(told, fc.infiniteStream(fc.nat()), (events, numbers) => {
        const state = events.map(stateOfEvent).reduce(mergeStates, NO_STATE);
        for (const { owner, side, edge } of edgesOf(state)) {
          const words = wordsOf(assertionsOfJob(state, owner), side, edge);
          const keyed = words.map((word) => ({ word, key: numbers.next().value ?? 0 }));
          const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ word }) => word);
          expect(validityOf(shuffled)).toEqual(validityOf(words));
        }
      }),
    );
  });
});

/** An independent reading of the rule: at each moment, look at everything that has been said. */
function isValidAfter(words: readonly Word[], now: { at: string; by: string }): boolean {
  const upTo = (at: string, by: string) => at < now.at || (at === now.at && by <= now.by);
  const claims = words.flatMap((word) => (word.is === 'claim' ? [{ by: word.by, ...word.span }] : []));
  if (claims.some(({ first, last, by }) => upTo(first, by) && !upTo(last, by))) return true;
  const past = claims.filter(({ last, by }) => upTo(last, by)).map(({ last, by }) => `${last} ${by}`);
  const latest = past.sort().at(-1);
  if (latest === undefined) return false;
  return !words.some((word) => word.is === 'denial' && upTo(word.at, word.by) && `${word.at} ${word.by}` > latest);
}

describe('the validity of any edge', () => {
  it('is what the rule says at every moment', () => {
    fc.assert(
      fc.property(fc.array(meetingEvents, { maxLength: 14 }), (events) => {
        const state = events.map(stateOfEvent).reduce(mergeStates, NO_STATE);
        for (const { owner, side, edge } of edgesOf(state)) {
          const words = wordsOf(assertionsOfJob(state, owner), side, edge);
          const intervals = validityOf(words);
          for (const now of words.flatMap(momentsOf)) {
            const inside = intervals.some(
              ({ first, closed }) =>
                compareMoments(first, now) <= 0 && (closed === null || compareMoments(closed, now) > 0),
            );
            expect(inside).toBe(isValidAfter(words, now));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('after each batch is the same from its neighbourhood as from everything', () => {
    const batches = fc.array(fc.array(meetingEvents, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(batches, (given) => {
        const stored = new Map<string, Stored>();
        let state = NO_STATE;
        for (const batch of given) {
          const before = state;
          state = batch.map(stateOfEvent).reduce(mergeStates, before);
          for (const { edge, window } of changedEdges(before, state, stored)) {
            const words = wordsOf(assertionsOfJob(state, edge.owner), edge.side, edge.edge);
            const held = stored.get(edge.key) ?? { intervals: [], note: null };
            const near = neighbourhood(words, window, held.intervals);
            const intervals = patchValidity(held.intervals, window, near);
            const note = noteOf(intervals, near);
            stored.set(edge.key, { intervals, note: note === undefined ? held.note : note });
          }
          for (const { key, owner, side, edge } of edgesOf(state)) {
            const words = wordsOf(assertionsOfJob(state, owner), side, edge);
            const intervals = validityOf(words);
            expect(stored.get(key)).toEqual({ intervals, note: noteOf(intervals, words) });
          }
        }
      }),
      { numRuns: 120 },
    );
  });

  it('follows any change of what sources say, also one that takes something back', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const said = fc.tuple(...ids.map((id) => fc.option(wordsBy(runUrn(id)))));
    const changed = fc.tuple(
      ...ids.map((id) => fc.option(fc.option(wordsBy(runUrn(id))), { nil: undefined, freq: 2 })),
    );
    fc.assert(
      fc.property(said, changed, (before, changes) => {
        const after = before.map((word, index) => (changes[index] === undefined ? word : changes[index]));
        const moments = before
          .flatMap((word, index) => (word === after[index] ? [] : [word, after[index]]))
          .flatMap((word) => (word ? momentsOf(word) : []))
          .sort(compareMoments);
        const [from, to] = [moments[0], moments.at(-1)];
        fc.pre(from !== undefined && to !== undefined);
        if (from === undefined || to === undefined) return;
        const stored = validityOf(before.filter((word) => word !== null));
        const words = after.filter((word) => word !== null);
        const near = neighbourhood(words, { from, to }, stored);
        expect(patchValidity(stored, { from, to }, near)).toEqual(validityOf(words));
      }),
      { numRuns: 1000 },
    );
  });

  it('is not asked for again when an event comes twice', () => {
    fc.assert(
      fc.property(fc.array(meetingEvents, { minLength: 1, maxLength: 6 }), (events) => {
        const state = events.map(stateOfEvent).reduce(mergeStates, NO_STATE);
        const again = events.map(stateOfEvent).reduce(mergeStates, state);
        expect(changedEdges(state, again, new Map())).toEqual([]);
      }),
    );
  });

  it('needs few runs of a job of many', () => {
    const runs = Array.from({ length: 2_000 }, (_, n) =>
      word(`run-${String(n).padStart(4, '0')}`, n * 3, n % 50 === 0),
    );
    const stored = validityOf(runs);
    const late = word('late', 3_001, true);
    const moment = late.is === 'claim' ? { at: late.span.first, by: late.by } : { at: late.at, by: late.by };
    const window = { from: moment, to: moment };
    const near = neighbourhood([...runs, late], window, stored);
    expect(near.length).toBeLessThan(6);
    expect(patchValidity(stored, window, near)).toEqual(validityOf([...runs, late]));
  });
});

function word(by: string, at: number, claims: boolean): Word {
  const state = stateOfEvent(event(['COMPLETE', by, at, claims ? ['a'] : ['b']]));
  const [said] = wordsOf(assertionsOfJob(state, JOB), 'inputs', data('a'));
  if (said === undefined) throw new Error('nothing said');
  return said;
}

function wordsBy(by: string): fc.Arbitrary<Word> {
  const time = fc.nat({ max: 20 }).map((at) => readEventTime(minute(at)) ?? ('' as EventTime));
  return fc.tuple(time, time, fc.boolean()).map(([x, y, claims]): Word => {
    const [first, last] = x < y ? [x, y] : [y, x];
    return claims ? { is: 'claim', by, span: { first, last, note: null } } : { is: 'denial', by, at: first };
  });
}

interface Stored {
  readonly intervals: readonly Interval[];
  readonly note: string | null;
}

/** The edges that a writer has to look at after a batch, as `changesBetween` and `isTouched` tell. */
function changedEdges(before: LineageState, state: LineageState, stored: ReadonlyMap<string, Stored>) {
  const found = new Map<string, { edge: Edge; window: Window; isNamed: boolean }>();
  const add = (edge: Edge, window: Window, isNamed: boolean) => {
    const held = found.get(edge.key) ?? { window, isNamed };
    found.set(edge.key, { edge, window: joinWindows(held.window, window), isNamed: held.isNamed || isNamed });
  };
  for (const [name, after] of Object.entries(state.assertions)) {
    for (const { side, named, others } of changesBetween(before.assertions[name] ?? null, after)) {
      for (const { edge, window } of named) add(edgeBy(after.owner, side, edge), window, true);
      const claims = claimsOn(after, side);
      for (const edge of others === null ? [] : edgesOf(state)) {
        const isOther = edge.owner === after.owner && isSame(edge.side, side) && !(edge.edge in claims);
        if (isOther && others !== null) add(edge, others, false);
      }
    }
  }
  return [...found.values()].filter(
    ({ edge, window, isNamed }) => isNamed || isTouched(stored.get(edge.key)?.intervals ?? [], window),
  );
}

function isSame(a: Side, b: Side): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function edgeBy(owner: string, side: Side, edge: string): Edge {
  return { key: JSON.stringify([owner, side, edge]), owner, side, edge };
}

interface Edge {
  readonly key: string;
  readonly owner: string;
  readonly side: Side;
  readonly edge: string;
}

function edgesOf(state: LineageState): Edge[] {
  const found = new Map<string, Edge>();
  for (const assertion of Object.values(state.assertions)) {
    const columns = Object.keys(assertion.columns).map((columnsOf) => ({ columnsOf }));
    for (const side of ['inputs', 'outputs', ...columns] as const) {
      for (const edge of Object.keys(claimsOn(assertion, side))) {
        const named = edgeBy(assertion.owner, side, edge);
        found.set(named.key, named);
      }
    }
  }
  return [...found.values()];
}

function momentsOf(word: Word) {
  return word.is === 'denial'
    ? [{ at: word.at, by: word.by }]
    : [
        { at: word.span.first, by: word.by },
        { at: word.span.last, by: word.by },
      ];
}

/** No more than `patchValidity` asks for. */
function neighbourhood(words: readonly Word[], { from, to }: Window, stored: readonly Interval[]): Word[] {
  const begins = (word: Word) => momentsOf(word)[0] ?? from;
  const ends = (word: Word) => momentsOf(word).at(-1) ?? from;
  const inside = words.filter((word) =>
    momentsOf(word).some((moment) => compareMoments(moment, from) >= 0 && compareMoments(moment, to) <= 0),
  );
  const across = words.filter(
    (word) => compareMoments(begins(word), from) < 0 && compareMoments(ends(word), from) >= 0,
  );
  const firstAfter = (some: readonly Word[]) =>
    some
      .filter((word) => compareMoments(begins(word), to) > 0)
      .sort((a, b) => compareMoments(begins(a), begins(b)))
      .slice(0, 1);
  const claims = words.filter((word) => word.is === 'claim');
  const lastBefore = claims
    .filter((claim) => compareMoments(ends(claim), from) < 0)
    .sort((a, b) => compareMoments(ends(b), ends(a)))
    .slice(0, 1);
  const reachesIn = stored.some(
    ({ first, last }) => compareMoments(first, from) < 0 && compareMoments(last, from) >= 0,
  );
  const reachesOut = stored.some(({ first, last }) => compareMoments(first, to) <= 0 && compareMoments(last, to) > 0);
  return [
    ...new Set([
      ...inside,
      ...across,
      ...firstAfter(words.filter((word) => word.is === 'denial')),
      ...(reachesIn ? lastBefore : []),
      ...(reachesOut ? firstAfter(claims) : []),
    ]),
  ];
}
