import { expect, it } from 'vitest';
import { killAtRandom } from '../support/event-inbox-kills.js';

it('loses no acknowledged event and repeats none when its writer is killed again and again', async () => {
  expect((await killAtRandom({ rounds: 60 })).length).toBeGreaterThanOrEqual(60);
});
