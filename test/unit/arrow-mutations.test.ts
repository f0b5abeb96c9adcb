import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutated, mutations, readDamaged } from '../support/arrow-mutations.js';
import { pyarrowStream } from '../support/arrow-streams.js';

describe('a damaged stream', async () => {
  const sound = await pyarrowStream('types');

  it('is read or refused, whatever was done to it', async () => {
    const ends = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        ends[await readDamaged(mutated(sound, changes))] += 1;
      }),
      { numRuns: 800 },
    );
    // Both must have happened, or the damage was of no use.
    expect(ends.read).toBeGreaterThan(0);
    expect(ends.refused).toBeGreaterThan(0);
  });

  it('is refused wherever it is cut off in the middle of a message', async () => {
    const ends = new Set<string>();
    for (let length = 1; length < sound.byteLength; length += 61)
      ends.add(await readDamaged(sound.subarray(0, length)));
    expect(ends.has('refused')).toBe(true);
  });
});
