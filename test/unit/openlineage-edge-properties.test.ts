import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runUrn } from '#graph-schema';
import {
  edgeProperties,
  type Interval,
  readEventTime,
  validityOf,
  type Word,
} from '../../ingestion/openlineage/index.js';
import { minute } from '../support/openlineage-events.js';

function moment(at: number, by: string) {
  const time = readEventTime(minute(at));
  if (time === null) throw new Error('no time');
  return { at: time, by };
}

const [A, B, STATIC] = [runUrn('a'), runUrn('b'), 'static@x'];

describe('the properties of an edge', () => {
  it('name the times of its intervals and the runs of each', () => {
    const intervals: Interval[] = [
      { first: moment(1, A), last: moment(2, B), closed: moment(3, B) },
      { first: moment(5, STATIC), last: moment(6, A), closed: null },
    ];
    expect(edgeProperties(intervals)).toMatchObject({
      validFrom: ['2026-01-01T00:01:00.000000000Z', '2026-01-01T00:05:00.000000000Z'],
      validTo: ['2026-01-01T00:03:00.000000000Z'],
      current: true,
      firstRuns: [A, ''],
      lastRuns: [B, A],
    });
  });

  it('of an edge that has ended say so', () => {
    const ended: Interval[] = [{ first: moment(1, A), last: moment(1, A), closed: moment(3, B) }];
    expect(edgeProperties(ended)).toMatchObject({ validTo: ['2026-01-01T00:03:00.000000000Z'], current: false });
  });

  it('show no seam where one interval ends and the next begins at once', () => {
    const intervals: Interval[] = [
      { first: moment(1, A), last: moment(1, A), closed: moment(3, A) },
      { first: moment(3, B), last: moment(4, B), closed: null },
    ];
    expect(edgeProperties(intervals)).toMatchObject({
      validFrom: ['2026-01-01T00:01:00.000000000Z'],
      validTo: [],
      firstRuns: [A],
      lastRuns: [B],
    });
  });

  const times = fc.nat({ max: 8 });
  const words = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), times, times, fc.boolean()).map(([id, x, y, claims]): Word => {
      const [first, last] = [moment(Math.min(x, y), id).at, moment(Math.max(x, y), id).at];
      const by = runUrn(id);
      return claims ? { is: 'claim', by, span: { first, last, note: null } } : { is: 'denial', by, at: first };
    }),
    { maxLength: 5 },
  );

  it('count as many beginnings as ends, and one more while it is valid, at each time', () => {
    fc.assert(
      fc.property(words, times, (given, at) => {
        const intervals = validityOf(given);
        const { validFrom, validTo } = edgeProperties(intervals);
        const now = moment(at, 'x').at;
        const begun = validFrom.filter((time) => time <= now).length;
        const ended = validTo.filter((time) => time <= now).length;
        const valid = intervals.some(({ first, closed }) => first.at <= now && (closed === null || closed.at > now));
        expect(begun - ended).toBe(valid ? 1 : 0);
        expect(validFrom).toEqual([...new Set(validFrom)].sort());
      }),
    );
  });
});
