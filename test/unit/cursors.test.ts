import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#errors';
import { checkPageSize, decodePageCursor, encodePageCursor, MAX_PAGE } from '../../graph-store/keyset-page.js';
import { decodeEventCursor, decodeEventPosition, encodeEventCursor } from '../../server/events/event-cursor.js';

const base64url = (text: string) => Buffer.from(text).toString('base64url');

describe('the cursor of a page', () => {
  it('gives back the sort key that it was made from', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 }), (key) => {
        expect(decodePageCursor(encodePageCursor(key as [string]), key.length)).toEqual(key);
      }),
    );
  });

  it.each([
    ['text that is none', 'nonsense'],
    ['nothing', ''],
    ['a cursor of a list with another order', encodePageCursor(['2026-01-01', 'nucleus:run:a'])],
    ['a cursor of another version', base64url('[2,"nucleus:run:a"]')],
    ['a key that is not text', base64url('[1,7]')],
    ['JSON that is no list', base64url('{"0":1}')],
  ])('is refused when it is %s', (_, cursor) => {
    expect(() => decodePageCursor(cursor, 1)).toThrow(InputError);
    expect(() => decodePageCursor(cursor, 1)).toThrow('after is not a cursor');
  });

  it.each([0, -1, MAX_PAGE + 1])('does not go with a page of %i', (first) => {
    expect(() => checkPageSize(first)).toThrow(`first must be from 1 to ${MAX_PAGE}, got ${first}`);
  });
});

describe('the cursor of an event', () => {
  it('gives back the position that it was made from, and is opaque', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (sequence) => {
        const cursor = encodeEventCursor(sequence);
        expect(decodeEventCursor(cursor)).toBe(sequence);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('gives back the part of a change, and the change without it', () => {
    const parts = fc.integer({ min: 1, max: 999_999 });
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), parts, (sequence, part) => {
        const cursor = encodeEventCursor(sequence, part);
        expect(decodeEventPosition(cursor)).toEqual({ sequence, part });
        expect(decodeEventCursor(cursor)).toBe(sequence);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('is another one for every change and every part', () => {
    const position = fc.tuple(fc.nat(), fc.option(fc.integer({ min: 1, max: 999_999 }), { nil: undefined }));
    fc.assert(
      fc.property(position, position, (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1];
        expect(encodeEventCursor(...one) === encodeEventCursor(...other)).toBe(same);
      }),
    );
  });

  it.each([
    '',
    'nonsense',
    '17',
    base64url('c1-17-0'),
    base64url('c1-17-'),
    base64url('c1-17-1-1'),
    base64url('c1-17-9999999'),
    base64url('c2-17'),
    base64url('c1--1'),
    base64url('c1-1.5'),
    base64url('c1-9007199254740993'),
    encodePageCursor(['nucleus:run:a']),
  ])('is refused when it is %j', (cursor) => {
    expect(() => decodeEventCursor(cursor)).toThrow(InputError);
  });
});
