import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Change } from '#graph-store';
import type { ChangeFeed } from '../../server/events/change-feed.js';
import { EventChannel } from '../../server/events/event-channel.js';
import { EventQueue } from '../../server/events/event-queue.js';
import type { EventView } from '../../server/events/event-view.js';

interface Event {
  readonly cursor: string;
}

const HEARTBEAT_MS = 15_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('sends a heartbeat as soon as there was nothing to send for the interval, counted from the last event', async () => {
  const view: EventView<Event> = {
    key: 'all',
    project: async (changes) => changes.map(({ sequence }) => ({ cursor: String(sequence) })),
    mark: (_, cursor) => ({ cursor }),
    weightOf: () => ({ items: 1, size: 1 }),
  };
  const feed = { position: 0, read: async () => [{ sequence: 1 } as Change] };
  const channel = new EventChannel(view, feed as unknown as ChangeFeed, { heartbeatMs: HEARTBEAT_MS });
  const queue: EventQueue<Event, unknown> = new EventQueue({ events: 10, items: 10, size: 10 }, () => new Error());
  const taken: unknown[] = [];
  void (async () => {
    for (let next = await queue.take(); next !== undefined; next = await queue.take()) taken.push(next);
  })();
  channel.attach(queue as never);

  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS - 1_000);
  feed.position = 1;
  channel.advance();
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS - 1);
  expect(taken).toEqual([{ durable: { cursor: '1' } }]);
  await vi.advanceTimersByTimeAsync(1);
  expect(taken.slice(1)).toEqual([{ ephemeral: [{ kind: 'heartbeat', sequence: 1 }] }]);
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
  expect(taken).toHaveLength(3);
  channel.detach(queue as never);
  expect(vi.getTimerCount()).toBe(0);
  queue.close();
});
