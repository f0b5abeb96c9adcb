import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planPatch } from '../../graph-store/patch-plan.js';
import type { PropertyPatch, PropertyValue } from '../../graph-store/property-values.js';

const keys = fc.constantFrom('a', 'b', 'c', 'd');
const values: fc.Arbitrary<PropertyValue> = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.array(fc.string(), { maxLength: 3 }),
);
const held = fc.dictionary(keys, values);
const patches = fc.dictionary(keys, fc.oneof(values, fc.constant(null)));

/** What a patch means: given values replace, null removes, the rest stays. */
function patched(current: Record<string, PropertyValue>, patch: PropertyPatch): Record<string, PropertyValue> {
  const entries = Object.entries({ ...current, ...patch }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as Record<string, PropertyValue>;
}

describe('the plan of a patch', () => {
  it('leads to what the patch means, and back again', () => {
    fc.assert(
      fc.property(held, patches, (current, patch) => {
        const plan = planPatch(current, patch);
        const wanted = patched(current, patch);
        expect(patched(current, plan?.after ?? {})).toEqual(wanted);
        expect(patched(wanted, plan?.before ?? {})).toEqual(current);
      }),
    );
  });

  it('is empty once the patch is applied', () => {
    fc.assert(
      fc.property(held, patches, (current, patch) => {
        expect(planPatch(patched(current, patch), patch)).toBeUndefined();
      }),
    );
  });

  it('names only what differs', () => {
    expect(planPatch({ a: 1, b: 'x', c: ['p'] }, { a: 2, b: 'x', c: ['p'], d: null, e: true })).toEqual({
      before: { a: 1, e: null },
      after: { a: 2, e: true },
    });
  });

  it('tells lists and dates by what they hold', () => {
    const at = new Date('2026-01-01T00:00:00Z');
    expect(planPatch({ at, list: ['a', 'b'] }, { at: new Date(at), list: ['a', 'b'] })).toBeUndefined();
    expect(planPatch({ list: ['a', 'b'] }, { list: ['b', 'a'] })?.after).toEqual({ list: ['b', 'a'] });
    expect(planPatch({ list: ['a'] }, { list: ['a', 'b'] })?.after).toEqual({ list: ['a', 'b'] });
  });

  it('tells a number from its text', () => {
    expect(planPatch({ a: 1 }, { a: '1' })?.after).toEqual({ a: '1' });
    expect(planPatch({ a: false }, { a: 0 })?.after).toEqual({ a: 0 });
  });
});
