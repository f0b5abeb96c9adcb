import { EventEmitter, on } from 'node:events';
import { expect, it } from 'vitest';
import { boundedStream } from '../../server/events/bounded-stream.js';

const ticks = (emitter: EventEmitter) => boundedStream(on(emitter, 'tick') as AsyncIterable<[{ text: string }]>);

it('lets go of its source when it is ended before its first step', async () => {
  const emitter = new EventEmitter();
  await ticks(emitter).return();
  expect(emitter.listenerCount('tick')).toBe(0);
});

it('lets go of its source when it is ended while it waits', async () => {
  const emitter = new EventEmitter();
  const stream = ticks(emitter);
  const next = stream.next();
  await stream.return();
  expect(await next).toEqual({ value: undefined, done: true });
  expect(emitter.listenerCount('tick')).toBe(0);
});

it('ends with the error of its source', async () => {
  const emitter = new EventEmitter();
  const next = ticks(emitter).next();
  emitter.emit('error', new Error('out of order'));
  await expect(next).rejects.toThrow('out of order');
});

it('cuts off a reader that a few large events wait for', async () => {
  const emitter = new EventEmitter();
  const stream = ticks(emitter);
  const text = 'x'.repeat(4 * 1024 * 1024);
  for (let count = 0; count < 10; count += 1) emitter.emit('tick', { text });
  await new Promise(setImmediate);
  const seen: unknown[] = [];
  const ended = await (async () => {
    for await (const event of stream) seen.push(event);
  })().catch((error: unknown) => error);
  expect(ended).toMatchObject({ code: 'LAGGED' });
  expect(seen).toHaveLength(4);
  expect(emitter.listenerCount('tick')).toBe(0);
});
