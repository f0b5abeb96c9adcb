import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertionsOf,
  endedAt,
  type FacetTable,
  facetsText,
  type LineageState,
  mergeStates,
  NO_STATE,
  startedAt,
  stateOf,
} from '../../ingestion/openlineage/index.js';
import {
  facet,
  type Json,
  meetingEvents,
  minute,
  RUN_A,
  runEvent,
  stateOfEvent,
  taken,
} from '../support/openlineage-events.js';

const histories = fc.array(meetingEvents, { maxLength: 8 });
const stateOfAll = (events: readonly unknown[]): LineageState => events.map(stateOfEvent).reduce(mergeStates, NO_STATE);

/** As the graph would keep it: equal states must also print alike, key by key. */
const printed = (state: LineageState): string => JSON.stringify(state);

const shownFacets = (table: FacetTable): unknown => JSON.parse(facetsText(table) ?? '{}');

describe('the state of events', () => {
  it('does not depend on their order', () => {
    const shuffled = histories.chain((events) =>
      fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
    );
    fc.assert(
      fc.property(shuffled, ([events, others]) => {
        expect(printed(stateOfAll(others))).toBe(printed(stateOfAll(events)));
      }),
    );
  });

  it('does not depend on how they are split into batches', () => {
    fc.assert(
      fc.property(histories, histories, histories, (a, b, c) => {
        const [x, y, z] = [stateOfAll(a), stateOfAll(b), stateOfAll(c)];
        const whole = printed(stateOfAll([...a, ...b, ...c]));
        expect(printed(mergeStates(mergeStates(x, y), z))).toBe(whole);
        expect(printed(mergeStates(x, mergeStates(y, z)))).toBe(whole);
      }),
    );
  });

  it('is the same when events come twice', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const state = stateOfAll(events);
        expect(printed(stateOfAll([...events, ...events]))).toBe(printed(state));
        expect(printed(mergeStates(state, state))).toBe(printed(state));
        expect(printed(mergeStates(state, NO_STATE))).toBe(printed(state));
      }),
    );
  });

  it('outlives being stored as JSON', () => {
    fc.assert(
      fc.property(histories, histories, (stored, coming) => {
        const held = JSON.parse(printed(stateOfAll(stored))) as LineageState;
        expect(printed(mergeStates(held, stateOfAll(coming)))).toBe(printed(stateOfAll([...stored, ...coming])));
      }),
    );
  });

  it('is told apart by each thing that events differ in', () => {
    const changes: Json[] = [
      { eventType: 'FAIL' },
      { eventTime: minute(1) },
      { inputs: [] },
      { job: { namespace: 'shop', name: 'other' } },
      { outputs: [{ namespace: 'file', name: '/staging/orders', facets: { version: { datasetVersion: '1' } } }] },
    ];
    const states = [{}, ...changes].map((members) => printed(stateOfEvent(runEvent(members))));
    expect(new Set(states).size).toBe(states.length);
  });
});

describe('the state of a run', () => {
  const outcomeAfter = (...events: [type: string | undefined, at: number][]) => {
    const members = events.map(([eventType, at]) => runEvent({ eventType, eventTime: minute(at) }));
    const [run] = Object.values(stateOfAll(members).runs);
    if (run === undefined) throw new Error('no run');
    return run.outcome;
  };

  it.each<[string, [string | undefined, number][], string]>([
    ['OTHER alone', [['OTHER', 0]], 'OTHER'],
    ['no type at all', [[undefined, 0]], 'OTHER'],
    [
      'START after OTHER',
      [
        ['OTHER', 0],
        ['START', 1],
      ],
      'RUNNING',
    ],
    ['RUNNING without START', [['RUNNING', 1]], 'RUNNING'],
    ['COMPLETE without START', [['COMPLETE', 1]], 'COMPLETE'],
    [
      'RUNNING after COMPLETE',
      [
        ['COMPLETE', 1],
        ['RUNNING', 2],
      ],
      'COMPLETE',
    ],
    [
      'ABORT before COMPLETE',
      [
        ['ABORT', 1],
        ['COMPLETE', 2],
      ],
      'ABORT',
    ],
    [
      'FAIL before ABORT',
      [
        ['FAIL', 1],
        ['ABORT', 2],
      ],
      'FAIL',
    ],
    [
      'COMPLETE before FAIL',
      [
        ['COMPLETE', 1],
        ['FAIL', 2],
      ],
      'FAIL',
    ],
  ])('is the strongest told: %s', (_, events, state) => {
    expect(stateOf(outcomeAfter(...events))).toBe(state);
    expect(stateOf(outcomeAfter(...[...events].reverse()))).toBe(state);
  });

  it('begins at its START, or at its first event, and ends at the last event of its state', () => {
    const whole = outcomeAfter(['COMPLETE', 7], ['OTHER', 1], ['START', 2], ['COMPLETE', 5], ['OTHER', 9]);
    expect([startedAt(whole), endedAt(whole)]).toEqual([
      '2026-01-01T00:02:00.000000000Z',
      '2026-01-01T00:07:00.000000000Z',
    ]);
    const cut = outcomeAfter(['RUNNING', 3], ['OTHER', 1]);
    expect([startedAt(cut), endedAt(cut)]).toEqual(['2026-01-01T00:01:00.000000000Z', null]);
  });
});

describe('a facet', () => {
  const jobWith = (at: string, facets: Json) =>
    runEvent({ eventTime: at, run: { runId: RUN_A }, job: { namespace: 'n', name: 'j', facets } });
  const facetsAfter = (...events: Json[]) => {
    const [job] = Object.values(stateOfAll(events).jobs);
    return shownFacets(job?.facets ?? {});
  };

  it('is replaced by the one of the later event, to the nanosecond, and others stay', () => {
    const old = jobWith('2026-01-01T00:00:00.000000001Z', { sql: facet({ query: 'old' }), a: { x: 1 } });
    const late = jobWith('2026-01-01T00:00:00.000000002Z', { sql: facet({ query: 'new' }) });
    for (const events of [
      [old, late],
      [late, old],
    ]) {
      expect(facetsAfter(...events)).toMatchObject({ sql: { query: 'new' }, a: { x: 1 } });
    }
  });

  it('stays removed when its older self comes afterwards, and comes back with a newer one', () => {
    const told = jobWith(minute(1), { sql: facet({ query: 'a' }) });
    const removed = jobWith(minute(2), { sql: { _deleted: true } });
    const again = jobWith(minute(3), { sql: facet({ query: 'b' }) });
    expect(facetsAfter(removed, told)).toEqual({});
    expect(facetsAfter(again, removed, told)).toMatchObject({ sql: { query: 'b' } });
  });

  it('of two at one time is the same one in any order, and key order makes no other facet', () => {
    const one = jobWith(minute(1), { x: { a: 1, b: 2 } });
    const other = jobWith(minute(1), { x: { a: 2, b: 1 } });
    expect(facetsAfter(one, other)).toEqual(facetsAfter(other, one));
    expect(printed(stateOfAll([jobWith(minute(1), { x: { b: 2, a: 1 } })]))).toBe(printed(stateOfAll([one])));
  });
});

describe('one event with a data set on both sides', () => {
  it('has it once, with the facets of both', () => {
    const dataset = { namespace: 'a', name: 'b' };
    const event = runEvent({
      inputs: [{ ...dataset, facets: { x: { v: 1 } } }, dataset],
      outputs: [{ ...dataset, facets: { y: { v: 2 } } }],
    });
    const { datasets, uses } = assertionsOf(taken(event)).state;
    expect(Object.values(datasets).map(({ facets }) => shownFacets(facets))).toEqual([{ x: { v: 1 }, y: { v: 2 } }]);
    expect(
      Object.values(uses)
        .map(({ side }) => side)
        .sort(),
    ).toEqual(['input', 'output']);
  });
});
