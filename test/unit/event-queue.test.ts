import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../server/events/event-queue.js';

const lagged = () => new Error('too slow');
const MANY = { events: 10, items: 100, size: 1_000 };
const SMALL = { items: 1, size: 1 };

describe('the queue of a subscriber', () => {
  it('hands over what waits, durable events first and of the ephemeral ones the latest of each key', async () => {
    const queue = new EventQueue<number, string>(MANY, lagged);
    queue.replace('a', 'a1');
    queue.push(1, SMALL);
    queue.replace('b', 'b1');
    queue.replace('a', 'a2');
    queue.push(2, SMALL);
    expect(await queue.take()).toEqual({ durable: 1 });
    expect(await queue.take()).toEqual({ durable: 2 });
    expect(await queue.take()).toEqual({ ephemeral: ['a2', 'b1'] });
  });

  it('wakes a reader that waits', async () => {
    const queue = new EventQueue<number, string>(MANY, lagged);
    const taken = queue.take();
    queue.push(7, SMALL);
    expect(await taken).toEqual({ durable: 7 });
  });

  it('lets a waiting reader go when it is closed, and does not wait after that', async () => {
    const queue = new EventQueue<number, string>(MANY, lagged);
    const taken = queue.take();
    queue.close();
    expect(await taken).toBeUndefined();
    expect(await queue.take()).toBeUndefined();
  });

  it.each([
    ['events', { events: 2, items: 100, size: 100 }],
    ['items', { events: 100, items: 20, size: 100 }],
    ['size', { events: 100, items: 100, size: 20 }],
  ])('cuts off a reader that is too slow by its %s, after what the queue could hold', async (_, limits) => {
    const weight = { items: 10, size: 10 };
    const queue = new EventQueue<number, string>(limits, lagged);
    for (const event of [1, 2, 3]) queue.push(event, weight);
    expect(await queue.take()).toEqual({ durable: 1 });
    // There is room again, but what was dropped before would be missing.
    queue.push(4, weight);
    expect(await queue.take()).toEqual({ durable: 2 });
    await expect(queue.take()).rejects.toThrow('too slow');
  });

  it('takes one event that is larger than its bound', async () => {
    const queue = new EventQueue<number, string>({ events: 2, items: 100, size: 100 }, lagged);
    queue.push(1, { items: 500, size: 500 });
    expect(await queue.take()).toEqual({ durable: 1 });
  });

  it('hands over what waits before it fails', async () => {
    const queue = new EventQueue<number, string>(MANY, lagged);
    queue.push(1, SMALL);
    queue.fail(new Error('gone'));
    queue.push(2, SMALL);
    expect(await queue.take()).toEqual({ durable: 1 });
    await expect(queue.take()).rejects.toThrow('gone');
  });

  it('never fills up with ephemeral events', async () => {
    const queue = new EventQueue<number, number>({ events: 2, items: 2, size: 2 }, lagged);
    for (let count = 0; count < 1_000; count += 1) queue.replace('run', count);
    expect(await queue.take()).toEqual({ ephemeral: [999] });
  });
});
