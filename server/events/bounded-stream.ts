import { AppError } from '#errors';
import { abortOnReturn } from './abort-on-return.js';
import { EventQueue } from './event-queue.js';

const LIMITS = { events: 1_000, items: 1_000, size: 16 * 1024 * 1024 };

/**
 * A stream that queues without bound, with one: it is read as fast as it comes, and its subscriber is cut off when it reads too slowly.
 * For streams that cannot be resumed.
 *
 * @throws AppError LAGGED out of the stream
 */
export function boundedStream<T>(source: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const queue = new EventQueue<T, never>(LIMITS, lagged);
  const ended = new AppError('STORE_UNAVAILABLE', 'the server ends its subscriptions');
  void drain(iterator, queue, ended);
  return abortOnReturn((signal) => {
    // Not left to the generator: one that is ended before its first step runs none of its code.
    const end = async () => {
      queue.close();
      await iterator.return?.();
    };
    signal.addEventListener('abort', () => void end().catch(() => undefined), { once: true });
    return durableOf(queue);
  });
}

async function* durableOf<T>(queue: EventQueue<T, never>): AsyncGenerator<T, void, void> {
  for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) {
    if ('durable' in taken) yield taken.durable;
  }
}

async function drain<T>(iterator: AsyncIterator<T>, queue: EventQueue<T, never>, ended: AppError): Promise<void> {
  try {
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) return queue.fail(ended);
      if (!queue.push(value, { items: 1, size: JSON.stringify(value).length })) break;
    }
    await iterator.return?.();
  } catch (error) {
    queue.fail(error);
  }
}

function lagged(): AppError {
  return new AppError(
    'LAGGED',
    'too much waited for this subscriber, and it cannot be resumed: read the present state, then subscribe again',
  );
}
