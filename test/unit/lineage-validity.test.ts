import { describe, expect, it } from 'vitest';
import { InputError } from '#errors';
import { edgeFromLegs, intersection, intervalsOf, sortableInstant } from '../../graph-store/lineage-validity.js';

const at = (day: number) => `2024-01-0${day}T00:00:00.000000000Z`;
const interval = (from: string, to: string | null) => ({
  ...{ from, to, firstRun: null, lastRun: null, firstActor: null, lastActor: null },
});
const leg = (...parts: readonly (readonly string[])[]) =>
  parts.map((values) => values.map((value) => ` ${value}`).join('')).join('|');

describe('an instant', () => {
  it.each([
    ['2024-05-01T10:00:00Z', '2024-05-01T10:00:00.000000000Z'],
    ['2024-05-01T10:00:00.5Z', '2024-05-01T10:00:00.500000000Z'],
    ['2024-05-01T10:00:00.123456789Z', '2024-05-01T10:00:00.123456789Z'],
    ['2024-05-01T00:30:00.000000001+02:00', '2024-04-30T22:30:00.000000001Z'],
    ['2024-05-01T12:00:00+02:00[Europe/Berlin]', '2024-05-01T10:00:00.000000000Z'],
  ])('%s is kept as %s', (text, kept) => {
    expect(sortableInstant(text, 'at')).toBe(kept);
  });

  it.each(['', '2024-05-01', '2024-05-01T10:00:00', '2024-13-01T10:00:00Z', '2024-05-01T10:00:00.1234567890Z', 'now'])(
    'is not %j',
    (text) => {
      expect(() => sortableInstant(text, 'view.at')).toThrow(InputError);
    },
  );
});

describe('the intervals of an edge', () => {
  it('are those of its lists, the last one open where an end is missing', () => {
    const runs = [
      ['nucleus:run:a', 'nucleus:run:c'],
      ['nucleus:run:b', ''],
    ];
    expect(intervalsOf(leg([at(1), at(3)], [at(2)], ...runs, [], []))).toEqual([
      { ...interval(at(1), at(2)), firstRun: 'nucleus:run:a', lastRun: 'nucleus:run:b' },
      { ...interval(at(3), null), firstRun: 'nucleus:run:c' },
    ]);
  });

  it('begin with its creation where it has no lists', () => {
    expect(intervalsOf(leg([], [], [], [], ['2024-01-01T00:00:00Z'], []))).toEqual([interval(at(1), null)]);
  });

  it('end with its deletion, also those that would begin later', () => {
    expect(intervalsOf(leg([at(1), at(4)], [at(2)], [], [], [], ['2024-01-03T00:00:00Z']))).toEqual([
      interval(at(1), at(2)),
    ]);
    expect(intervalsOf(leg([at(1)], [], [], [], [], ['2024-01-03T00:00:00Z']))).toEqual([interval(at(1), at(3))]);
  });

  it('of two halves are the times that they share', () => {
    const left = [interval(at(1), at(3)), interval(at(4), null)];
    const right = [interval(at(2), at(5)), interval(at(6), null)];
    expect(intersection(left, right)).toEqual([interval(at(2), at(3)), interval(at(4), at(5)), interval(at(6), null)]);
    expect(intersection([interval(at(1), at(2))], [interval(at(2), null)])).toEqual([]);
  });
});

describe('an edge', () => {
  it('is current while its last interval is open, and names the runs of its first and last one', () => {
    const ends = { kind: 'FEEDS', from: 'a', to: 'b', via: null } as const;
    const runs = [
      ['r1', 'r3'],
      ['r2', 'r4'],
    ];
    const open = leg([at(1), at(3)], [at(2)], ...runs, [], []);
    expect(edgeFromLegs(ends, [open])).toMatchObject({
      current: true,
      via: null,
      firstRun: 'r1',
      lastRun: 'r4',
    });
    const closed = leg([at(1), at(3)], [at(2), at(4)], ...runs, [], []);
    expect(edgeFromLegs({ ...ends, via: 'x' }, [closed])).toMatchObject({ current: false, via: 'x' });
    expect(edgeFromLegs({ ...ends, via: 'x' }, [open, closed])).toMatchObject({ current: false, firstRun: null });
  });

  it('tells who has drawn it, and what was done to it last, whatever stands in there', () => {
    const ends = { kind: 'FEEDS', from: 'a', to: 'b', via: null } as const;
    const drawn = (day: number) => ({ does: 'assert', actor: 'a b', at: at(day), note: '1 | "2"' }) as const;
    const leg1 = leg([at(1)], [], ['manual:a%20b'], ['r1'], [], [], [JSON.stringify(drawn(1))]);
    const leg2 = leg([at(1)], [], ['r1'], ['r1'], [], [], [JSON.stringify(drawn(2))]);
    expect(edgeFromLegs(ends, [leg1])).toMatchObject({
      intervals: [{ firstRun: null, firstActor: 'a b', lastRun: 'r1', lastActor: null }],
      manual: drawn(1),
    });
    expect(edgeFromLegs({ ...ends, via: 'x' }, [leg1, leg2]).manual).toEqual(drawn(2));
  });

  it('that nobody vouches for any more has no interval', () => {
    const none = edgeFromLegs({ kind: 'FEEDS', from: 'a', to: 'b', via: null }, [leg([], [], [], [], [], [])]);
    expect(none).toMatchObject({ current: false, intervals: [], manual: null });
  });
});
