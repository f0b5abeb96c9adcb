import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareCursorValues, fallsBelow, ORDERED_FAMILIES, type OrderedFamily } from '#kv';

const microseconds = fc.bigInt({
  min: BigInt(Date.parse('0000-01-01T00:00:00Z')) * 1000n,
  max: BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n,
});

/** JavaScript stops at milliseconds, so the last three digits come from the number itself. */
function timestampOf(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const millis = new Date(Number((micros - rest) / 1000n)).toISOString().slice(0, -1);
  return `${millis}${rest.toString().padStart(3, '0')}`;
}

const coefficient = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const decimal = fc.tuple(coefficient, fc.nat(25)).map(([whole, scale]) => {
  const digits = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return `${whole < 0n ? '-' : ''}${text}`;
});
const text = fc.string({ unit: 'binary', minLength: 1 });

const VALUES: Record<OrderedFamily, fc.Arbitrary<string>> = {
  timestamptz: microseconds.map((micros) => `${timestampOf(micros)}Z`),
  timestamp: microseconds.map(timestampOf),
  date: microseconds.map((micros) => timestampOf(micros).slice(0, 10)),
  integer: fc.oneof(fc.bigInt(), fc.bigInt({ min: -20n, max: 20n })).map(String),
  decimal: fc.oneof(decimal, fc.constantFrom('0', '0.0', '1', '1.0', '-1', '-1.00', '10', '9.99')),
  text,
};

const signOf = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

describe('the order of cursors', () => {
  it.each(ORDERED_FAMILIES)('is total and transitive for %s', (family) => {
    const compare = (a: string, b: string) => compareCursorValues(family, a, b);
    fc.assert(
      fc.property(VALUES[family], VALUES[family], VALUES[family], (a, b, c) => {
        expect(compare(a, a)).toBe(0);
        expect(compare(a, b) + compare(b, a)).toBe(0);
        const [low, middle, high] = [a, b, c].sort(compare) as [string, string, string];
        expect(compare(low, middle)).toBeLessThanOrEqual(0);
        expect(compare(middle, high)).toBeLessThanOrEqual(0);
        expect(compare(low, high)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('is the order in time, to the microsecond', () => {
    const near = fc.tuple(microseconds, fc.bigInt({ min: -2000n, max: 2000n })).map(([a, by]) => [a, a + by] as const);
    fc.assert(
      fc.property(fc.oneof(near, fc.tuple(microseconds, microseconds)), ([a, b]) => {
        fc.pre(b >= BigInt(Date.parse('0000-01-01T00:00:00Z')) * 1000n);
        expect(compareCursorValues('timestamptz', `${timestampOf(a)}Z`, `${timestampOf(b)}Z`)).toBe(signOf(a, b));
        expect(compareCursorValues('timestamp', timestampOf(a), timestampOf(b))).toBe(signOf(a, b));
      }),
    );
  });

  it('is the numeric order for integers of any size', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        expect(compareCursorValues('integer', String(a), String(b))).toBe(signOf(a, b));
      }),
    );
    expect(compareCursorValues('integer', '9007199254740993', '9007199254740992')).toBe(1);
    expect(compareCursorValues('integer', '9', '10')).toBe(-1);
  });

  it('is the exact numeric order for decimals of any scale', () => {
    const scale = fc.nat(20);
    fc.assert(
      fc.property(coefficient, coefficient, scale, fc.nat(5), (a, b, digits, zeros) => {
        const spelled = (whole: bigint, extra: number) => {
          const padded = (whole < 0n ? -whole : whole).toString().padStart(digits + 1, '0');
          const cut = padded.length - digits;
          const fraction = padded.slice(cut) + '0'.repeat(extra);
          return `${whole < 0n ? '-' : ''}${padded.slice(0, cut)}${fraction === '' ? '' : `.${fraction}`}`;
        };
        expect(compareCursorValues('decimal', spelled(a, zeros), spelled(b, 0))).toBe(signOf(a, b));
      }),
    );
    expect(compareCursorValues('decimal', '1.0', '1.00')).toBe(0);
    expect(compareCursorValues('decimal', '0.30000000000000000001', '0.3')).toBe(1);
    expect(compareCursorValues('decimal', '-1.5', '-1.25')).toBe(-1);
  });

  it('is by code point for text', () => {
    const points = (value: string) => Array.from(value, (character) => character.codePointAt(0) ?? 0);
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [left, right] = [points(a), points(b)];
        const at = left.findIndex((point, index) => point !== right[index]);
        const expected = at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
        expect(compareCursorValues('text', a, b)).toBe(Math.sign(expected));
      }),
    );
    expect(compareCursorValues('text', '\uFFFD', '😀')).toBe(-1);
    expect(compareCursorValues('text', 'Z', 'a')).toBe(-1);
  });

  it.each<[OrderedFamily, string]>([
    ['timestamptz', '2013-01-01T05:00:00Z'],
    ['timestamptz', '2013-01-01T05:00:00.000000+00:00'],
    ['timestamptz', '2013-01-01T05:00:00.000000'],
    ['timestamptz', 'infinity'],
    ['timestamptz', '2013-13-01T05:00:00.000000Z'],
    ['timestamp', '2013-01-01T05:00:00.000000Z'],
    ['timestamp', '2013-01-01T24:00:00.000000'],
    ['timestamp', '2013-01-01 05:00:00.000000'],
    ['date', '2013-1-1'],
    ['date', '2013-01-01T00:00:00.000000'],
    ['integer', '1e5'],
    ['integer', '007'],
    ['integer', '-0'],
    ['integer', '1.0'],
    ['integer', ' 1'],
    ['decimal', 'NaN'],
    ['decimal', '1.'],
    ['decimal', '.5'],
    ['decimal', '1e-3'],
    ['text', ''],
    ['text', 'a\ud800'],
  ])('refuses, for %s, the spelling %j on either side', (family, bad) => {
    const refusal = expect.objectContaining({ problems: [expect.objectContaining({ field: 'cursor.value' })] });
    expect(() => compareCursorValues(family, bad, bad)).toThrowError(refusal);
  });
});

describe('offsets of partitions', () => {
  const offsets = fc
    .dictionary(fc.nat(6).map(String), fc.bigInt({ min: 0n, max: 3n }), { maxKeys: 4 })
    .map((by) => new Map(Object.entries(by)));
  const spelled = (by: ReadonlyMap<string, bigint>) =>
    `{${[...by].map(([partition, offset]) => `"${partition}":${offset}`).join(',')}}`;

  it('fall below as soon as one partition falls back or is missing', () => {
    fc.assert(
      fc.property(offsets, offsets, (next, stored) => {
        const lost = [...stored].filter(([partition, offset]) => (next.get(partition) ?? -1n) < offset);
        expect(fallsBelow('offsets', spelled(next), spelled(stored))).toBe(lost.length > 0);
      }),
    );
  });

  it('keep all their 64 bits', () => {
    expect(fallsBelow('offsets', '{"0":9223372036854775806}', '{"0":9223372036854775807}')).toBe(true);
    expect(fallsBelow('offsets', '{"0":9223372036854775807}', '{"0":9223372036854775806}')).toBe(false);
  });

  it.each(['{"0":1,}', '{0:1}', '{"0": 1}', '{"0":-1}', '{"00":1}', '[1]', '{"0":1'])('are not spelled %s', (value) => {
    expect(() => fallsBelow('offsets', value, '{}')).toThrow('cursor.value');
  });
});
