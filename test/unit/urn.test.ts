import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkpointUrn,
  datasetUrn,
  formatUrn,
  parseUrn,
  runUrn,
  UrnSyntaxError,
  unitStateUrn,
  unitUrn,
} from '#graph-schema';

const kinds = fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5}){0,2}$/);
/** Text as users name things: any character, but no half of a surrogate pair. */
const parts = fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1, maxLength: 5 });

describe('a urn', () => {
  it('gives back the kind and the parts that it was made from', () => {
    fc.assert(
      fc.property(kinds, parts, (kind, given) => {
        expect(parseUrn(formatUrn(kind, given as [string]))).toEqual({ kind, parts: given });
      }),
    );
  });

  it('is never the same for different parts', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(formatUrn('dataset', a as [string]) === formatUrn('dataset', b as [string])).toBe(same);
      }),
    );
  });

  it('keeps separators of names apart from its own', () => {
    expect(datasetUrn('postgres://db:5432', 'shop.public.orders')).toBe(
      'nucleus:dataset:postgres%3A%2F%2Fdb%3A5432:shop.public.orders',
    );
    expect(datasetUrn('a:b', 'c')).not.toBe(datasetUrn('a', 'b:c'));
  });

  it('names a unit by its job, and everything else by the ids that make it unique', () => {
    expect(unitUrn('crm', 'orders')).toBe('nucleus:job:nucleus-ingestion:crm%2Forders');
    expect(unitStateUrn('crm', 'orders', 'lake')).toBe('nucleus:unit-state:crm:orders:lake');
    expect(runUrn('r-1')).toBe('nucleus:run:r-1');
    expect(checkpointUrn({ endpointId: 'crm', unitId: 'orders', sinkId: 'lake', generation: 2, version: 7 })).toBe(
      'nucleus:checkpoint:crm:orders:lake:2:7',
    );
  });

  it.each([
    ['another scheme', 'urn:dataset:a'],
    ['no part', 'nucleus:dataset'],
    ['an empty part', 'nucleus:dataset:a::b'],
    ['an empty last part', 'nucleus:dataset:a:'],
    ['a kind in capitals', 'nucleus:Dataset:a'],
    ['a broken percent-encoding', 'nucleus:dataset:%E0%A4'],
    ['a character that should be encoded', 'nucleus:dataset:a/b'],
    ['a character that needs no encoding', 'nucleus:dataset:%61'],
    ['an encoding in lower case', 'nucleus:dataset:a%2fb'],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(() => parseUrn(text)).toThrow(UrnSyntaxError);
  });

  it('is not made from an empty part, half a character or a kind that is none', () => {
    expect(() => formatUrn('dataset', ['a', ''])).toThrow(UrnSyntaxError);
    expect(() => formatUrn('dataset', ['\ud800'])).toThrow(UrnSyntaxError);
    expect(() => formatUrn('data set', ['a'])).toThrow(UrnSyntaxError);
  });
});
