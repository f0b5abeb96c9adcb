import { expect, it } from 'vitest';
import { inBackground } from '../../server/background-task.js';

it('a task in the background that fails is told of, and does not end anything else', async () => {
  const reason = new Error('no graph');
  const told = new Promise((resolve) => inBackground(() => Promise.reject(reason), resolve));
  expect(await told).toBe(reason);
});

it('a task in the background that is stopped has ended when `stop` has, and its end is no failure', async () => {
  const failures: unknown[] = [];
  let ended = false;
  const { stop } = inBackground(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = true;
          reject(signal.reason);
        });
      }),
    (error) => failures.push(error),
  );
  await stop();
  expect({ ended, failures }).toEqual({ ended: true, failures: [] });
});
