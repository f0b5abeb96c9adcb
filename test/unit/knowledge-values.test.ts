import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROPERTY_TYPES } from '#graph-schema';
import { canonicalJson } from '../../graph-store/canonical-json.js';
import { checkValue, VALUE_LIMITS } from '../../graph-store/knowledge-values.js';

const HALF = '\ud83d';

describe('a value of a property', () => {
  it.each([
    ['STRING', 'text', 'text'],
    ['STRING', '', ''],
    ['STRING', 'é'.repeat(VALUE_LIMITS.stringBytes / 2), 'é'.repeat(VALUE_LIMITS.stringBytes / 2)],
    ['INTEGER', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['FLOAT', 1e300, 1e300],
    ['FLOAT', 3, 3],
    ['BOOLEAN', false, false],
    ['DATE_TIME', '2026-01-31T09:00:00.123456+01:00', new Date('2026-01-31T08:00:00.123Z')],
    ['DATE_TIME', '2024-02-29T00:00Z', new Date('2024-02-29T00:00:00Z')],
    ['DATE_TIME', '0001-01-01T00:00:00Z', new Date('0001-01-01T00:00:00Z')],
    ['DATE_TIME', new Date('9999-12-31T23:59:59.999Z'), new Date('9999-12-31T23:59:59.999Z')],
    ['STRING_LIST', [], []],
    ['STRING_LIST', ['a', 'a'], ['a', 'a']],
    ['JSON', { b: [1, null], a: { d: true, c: 'x' } }, '{"a":{"c":"x","d":true},"b":[1,null]}'],
    ['JSON', 'text', '"text"'],
  ] as const)('of type %s may be %o', (type, given, kept) => {
    expect(checkValue(type, given)).toEqual({ value: kept });
  });

  it.each(PROPERTY_TYPES)('of type %s may be null, which removes it', (type) => {
    expect(checkValue(type, null)).toEqual({ value: null });
  });

  it.each([
    ['STRING', 5, 'must be a string, got 5'],
    ['STRING', HALF, 'holds half of a surrogate pair, which is not a character'],
    ['STRING', 'x'.repeat(1_000_000), 'must have 65536 bytes of UTF-8 at most, got 1000000'],
    ['INTEGER', '5', 'must be a whole number, got a string of 1 characters'],
    ['INTEGER', 1.5, 'must be a whole number, got 1.5'],
    ['INTEGER', Number.NaN, 'must be a whole number, got NaN'],
    ['INTEGER', 2 ** 53, 'must lie within ±(2^53 − 1), got 9007199254740992: larger numbers go into a STRING'],
    ['FLOAT', Number.NaN, 'must be a finite number, got NaN'],
    ['FLOAT', Number.POSITIVE_INFINITY, 'must be a finite number, got Infinity'],
    ['BOOLEAN', 'true', 'must be true or false, got a string of 4 characters'],
    ['DATE_TIME', '2026-01-31', expect.stringContaining('got a string of 10 characters')],
    ['DATE_TIME', '2026-01-31T08:00:00', expect.stringContaining('time zone')],
    ['DATE_TIME', '2026-02-30T08:00:00Z', expect.stringContaining('a date that does not exist')],
    ['DATE_TIME', new Date(Number.NaN), expect.stringContaining('got an instant')],
    ['DATE_TIME', '0000-06-01T00:00:00Z', 'must lie in the years 1 to 9999 of UTC'],
    ['DATE_TIME', '0001-01-01T00:30:00+01:00', 'must lie in the years 1 to 9999 of UTC'],
    ['DATE_TIME', '9999-12-31T23:30:00-01:00', 'must lie in the years 1 to 9999 of UTC'],
    ['DATE_TIME', new Date(8.64e15), 'must lie in the years 1 to 9999 of UTC'],
    ['STRING_LIST', 'a', 'must be a list of strings, got a string of 1 characters'],
    ['STRING_LIST', ['a', 1], 'must be a list of strings, entry 1 is 1'],
    ['STRING_LIST', ['a', HALF], 'entry 1 holds half of a surrogate pair, which is not a character'],
    ['STRING_LIST', Array.from({ length: 1_001 }, () => 'a'), 'must have 1000 entries at most, got 1001'],
    ['JSON', { a: { b: Number.NaN } }, 'must be JSON: at a.b it is NaN, which JSON cannot hold'],
    ['JSON', { a: [2 ** 60] }, expect.stringContaining('at a.0 it is a whole number beyond 2^53')],
    ['JSON', { [HALF]: 1 }, expect.stringContaining('half of a surrogate pair')],
    ['JSON', { at: new Date(0) }, 'must be JSON: at at it is no JSON value'],
    ['JSON', nested(100), expect.stringContaining('deeper than 64 levels')],
    ['JSON', 'x'.repeat(300_000), expect.stringContaining('must have 262144 bytes')],
  ] as const)('of type %s is refused when it breaks its rule: %#', (type, given, problem) => {
    expect(checkValue(type, given)).toEqual({ problem });
  });

  it('is never repeated at length by the problem', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PROPERTY_TYPES), fc.anything({ maxDepth: 3 }), (type, given) => {
        const checked = checkValue(type, given);
        if ('problem' in checked) expect(checked.problem.length).toBeLessThan(400);
      }),
    );
  });
});

describe('the text of a JSON value', () => {
  it('stands for the same value, and equal values have equal texts', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(!hasUnfitNumber(value));
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });
});

function nested(levels: number): unknown {
  return levels === 0 ? 0 : [nested(levels - 1)];
}

/** The same value with the keys of each object the other way round. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item)]),
  );
}

function hasUnfitNumber(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnfitNumber);
}
