import { describe, expect, it } from 'vitest';
import { runSteps } from '../../scripts/setup/run-setup.mjs';

/** A step that tells when it begins and ends, and lets others go first. */
function step(told: string[], name: string, after: string[] = [], failure?: string) {
  return {
    ...{ name, after, onFailure: 'Try again.', isDone: () => false },
    run: async () => {
      told.push(`${name} begins`);
      await new Promise(setImmediate);
      if (failure !== undefined) throw new Error(failure);
      told.push(`${name} ends`);
    },
  };
}

describe('steps of the set-up', () => {
  it('run side by side, but after those that they need', async () => {
    const told: string[] = [];
    const failures = await runSteps('/', [step(told, 'jars'), step(told, 'packages'), step(told, 'classes', ['jars'])]);
    expect(failures).toEqual([]);
    expect(told.slice(0, 2)).toEqual(['jars begins', 'packages begins']);
    expect(told.indexOf('classes begins')).toBeGreaterThan(told.indexOf('jars ends'));
    expect(told.at(-1)).toBe('classes ends');
  });

  it('run when what they need is there already', async () => {
    const told: string[] = [];
    expect(await runSteps('/', [step(told, 'classes', ['jars'])])).toEqual([]);
    expect(told).toEqual(['classes begins', 'classes ends']);
  });

  it('are left out after one that has failed, which alone is told', async () => {
    const told: string[] = [];
    const failures = await runSteps('/', [step(told, 'jars', [], 'no network'), step(told, 'classes', ['jars'])]);
    expect(failures).toEqual([expect.stringContaining('jars: Error: no network')]);
    expect(told).toEqual(['jars begins']);
  });
});
