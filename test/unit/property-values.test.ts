import fc from 'fast-check';
import neo4j from 'neo4j-driver';
import { describe, expect, it } from 'vitest';
import { fromNeo4j, sameValue, toNeo4j } from '../../graph-store/property-values.js';

describe('a property value', () => {
  it('comes back from Neo4j as it was sent', () => {
    const numbers = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }));
    const values = fc.oneof(fc.string(), fc.boolean(), numbers, fc.date({ noInvalidDate: true }));
    fc.assert(fc.property(values, (value) => sameValue(fromNeo4j(toNeo4j(value)), value)));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('is refused when it is %d', (value) => {
    expect(() => toNeo4j(value)).toThrow(/cannot be stored/);
  });

  it('is refused when it is a date that is none', () => {
    expect(() => toNeo4j(new Date(Number.NaN))).toThrow(/no valid date/);
  });

  it.each([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])('is an integer when it is %d', (value) => {
    expect(neo4j.isInt(toNeo4j(value))).toBe(true);
    expect(fromNeo4j(toNeo4j(value))).toBe(value);
  });

  it.each([2 ** 53, -(2 ** 53), 1e300, 0.5])('is a float when it is %d', (value) => {
    expect(toNeo4j(value)).toBe(value);
  });

  it('is absent when it is null or undefined', () => {
    expect(sameValue(undefined, null)).toBe(true);
    expect(sameValue(null, '')).toBe(false);
    expect(sameValue(undefined, 0)).toBe(false);
  });
});
