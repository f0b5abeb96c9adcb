import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated, mutations, readDamaged } from '../support/arrow-mutations.js';
import { pyarrowStream } from '../support/arrow-streams.js';

describe('a damaged stream', async () => {
  const sound = await Promise.all([pyarrowStream('types'), pyarrowStream('bad-cells')]);

  it('is read or refused, whatever was done to it', async () => {
    const ends = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...sound), mutations, async (stream, changes) => {
        ends[await readDamaged(mutated(stream, changes))] += 1;
      }),
      { numRuns: 500_000 },
    );
    expect(ends.read).toBeGreaterThan(0);
    expect(ends.refused).toBeGreaterThan(0);
  });
});
