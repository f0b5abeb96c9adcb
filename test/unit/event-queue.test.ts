import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../server/run-events/event-queue.js';

const LONG_MS = 60_000;
const lagged = () => new Error('too slow');
const never = () => new AbortController().signal;

describe('the queue of a subscriber', () => {
  it('hands over what waits, durable events first and of the ephemeral ones the latest of each key', async () => {
    const queue = new EventQueue<number, string>(10, lagged);
    queue.replace('a', 'a1');
    queue.push(1);
    queue.replace('b', 'b1');
    queue.replace('a', 'a2');
    queue.push(2);
    expect(await queue.take(LONG_MS, never())).toEqual({ durable: [1, 2], ephemeral: ['a2', 'b1'] });
  });

  it('wakes a reader that waits', async () => {
    const queue = new EventQueue<number, string>(10, lagged);
    const taken = queue.take(LONG_MS, never());
    queue.push(7);
    expect(await taken).toEqual({ durable: [7], ephemeral: [] });
  });

  it('lets a waiting reader go when it is aborted, and does not wait after that', async () => {
    const queue = new EventQueue<number, string>(10, lagged);
    const controller = new AbortController();
    const taken = queue.take(LONG_MS, controller.signal);
    controller.abort();
    expect(await taken).toEqual({ durable: [], ephemeral: [] });
    expect(await queue.take(LONG_MS, controller.signal)).toEqual({ durable: [], ephemeral: [] });
  });

  it('comes back empty when nothing happens in time', async () => {
    const queue = new EventQueue<number, string>(10, lagged);
    expect(await queue.take(1, never())).toEqual({ durable: [], ephemeral: [] });
  });

  it('cuts off a reader that is too slow, after what the queue could hold', async () => {
    const queue = new EventQueue<number, string>(2, lagged);
    for (const event of [1, 2, 3, 4]) queue.push(event);
    expect(await queue.take(LONG_MS, never())).toEqual({ durable: [1, 2], ephemeral: [] });
    await expect(queue.take(LONG_MS, never())).rejects.toThrow('too slow');
  });

  it('never fills up with ephemeral events', async () => {
    const queue = new EventQueue<number, number>(2, lagged);
    for (let count = 0; count < 1_000; count += 1) queue.replace('run', count);
    expect(await queue.take(LONG_MS, never())).toEqual({ durable: [], ephemeral: [999] });
  });
});
