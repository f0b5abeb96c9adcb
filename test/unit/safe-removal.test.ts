import { describe, expect, it } from 'vitest';
import { isSafeRemoval } from '../../ingestion/activities/safe-removal.js';

const NONE = { held: 0, vanished: 0 };

describe('what has vanished from a source goes by itself', () => {
  it.each([
    [0, 0, true],
    [11, 10, true],
    [20, 11, false],
    [50, 10, true],
    [60, 12, true],
    [60, 13, false],
    [1000, 200, true],
    [1000, 201, false],
    [1, 1, false],
    [10, 10, false],
  ])('of %i data sets %i: %s', (held, vanished, isSafe) => {
    expect(isSafeRemoval({ datasets: { held, vanished }, fields: NONE })).toBe(isSafe);
  });

  it.each([
    [10, 10, true],
    [20, 11, false],
    [100, 20, true],
    [100, 21, false],
  ])('of %i columns of data sets that stay %i: %s', (held, vanished, isSafe) => {
    expect(isSafeRemoval({ datasets: { held: 5, vanished: 0 }, fields: { held, vanished } })).toBe(isSafe);
  });
});
