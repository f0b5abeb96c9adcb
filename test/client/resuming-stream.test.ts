import { expect, it } from 'vitest';
import { graphChangeSource } from '../../client/graph-change-source.js';
import { NucleusError } from '../../client/nucleus-error.js';
import { ResumingStream, type StreamOptions } from '../../client/resuming-stream.js';
import { runEventSource } from '../../client/run-event-source.js';
import type { GraphChange, IngestionRunEvent } from '../../client/schema-types.js';
import type { SubscriptionRequest, SubscriptionSink } from '../../client/subscription-socket.js';

const RETRY = { attempts: 3, baseMs: 1, maxMs: 2 };
const lost = () => new NucleusError('UNREACHABLE', 'cut');

/** One subscription as a server would see it, played by the test. */
interface Subscription {
  readonly after: unknown;
  readonly sink: SubscriptionSink;
  readonly isStopped: () => boolean;
}

/** The other side of a stream: hands each subscription to the test. */
class Script {
  readonly #subscriptions: Subscription[] = [];
  readonly #waiting: ((subscription: Subscription) => void)[] = [];
  count = 0;

  subscribe(request: SubscriptionRequest, sink: SubscriptionSink): () => void {
    let stopped = false;
    const subscription = { after: request.variables().after, sink, isStopped: () => stopped };
    this.count += 1;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#subscriptions.push(subscription);
    else waiting(subscription);
    return () => {
      stopped = true;
    };
  }

  next(): Promise<Subscription> {
    const ready = this.#subscriptions.shift();
    return ready === undefined
      ? new Promise((resolve) => {
          this.#waiting.push(resolve);
        })
      : Promise.resolve(ready);
  }
}

const change = (cursor: string, items = 0): GraphChange => ({
  cursor,
  at: '2026-01-01T00:00:00Z',
  actor: 'test',
  runId: null,
  items: Array.from({ length: items }, () => ({}) as GraphChange['items'][number]),
});
const event = (kind: string, cursor: string, changes: GraphChange[] = []) => ({
  graphChanges: { kind, cursor, at: '2026-01-01T00:00:00Z', changes },
});
const changesOf = (...cursors: string[]) =>
  event(
    'CHANGES',
    cursors.at(-1) ?? '',
    cursors.map((cursor) => change(cursor)),
  );

function streamOn(script: Script, options: StreamOptions = {}): ResumingStream<GraphChange> {
  return new ResumingStream(script, graphChangeSource(undefined), { ...options, retry: RETRY });
}

async function take<Item>(stream: AsyncIterator<Item>, count: number): Promise<Item[]> {
  const items: Item[] = [];
  while (items.length < count) {
    const { value, done } = await stream.next();
    if (done) throw new Error(`the stream ended after ${items.length} items`);
    items.push(value);
  }
  return items;
}

it('resumes after what it has received, and hands over nothing twice', async () => {
  const script = new Script();
  await using stream = streamOn(script, { after: 'c0' });
  const reading = take(stream, 4);
  const first = await script.next();
  expect(first.after).toBe('c0');
  first.sink.next(event('SUBSCRIBED', 'c0'));
  first.sink.next(changesOf('c1', 'c2'));
  first.sink.end(lost());
  const second = await script.next();
  expect(second.after).toBe('c2');
  // At least once: the server may send again what was under way.
  second.sink.next(changesOf('c2', 'c3'));
  second.sink.next(changesOf('c3', 'c4'));
  expect((await reading).map(({ cursor }) => cursor)).toEqual(['c1', 'c2', 'c3', 'c4']);
  expect(stream.cursor).toBe('c4');
});

it('stands where the item read last ends, whatever waits behind it', async () => {
  const script = new Script();
  await using stream = streamOn(script);
  const start = stream.subscribed();
  const { sink } = await script.next();
  sink.next(event('SUBSCRIBED', 's'));
  expect(await start).toBe('s');
  expect(stream.cursor).toBe('s');
  sink.next(changesOf('c1', 'c2'));
  sink.next(event('HEARTBEAT', 'h'));
  await take(stream, 1);
  expect(stream.cursor).toBe('c1');
  await take(stream, 1);
  expect(stream.cursor).toBe('h');
  sink.next(event('HEARTBEAT', 'h2'));
  expect(stream.cursor).toBe('h2');
});

it('goes on from a heartbeat, so that a filter that rarely matches does not grow old', async () => {
  const script = new Script();
  await using stream = streamOn(script, { after: 'c0' });
  const start = stream.subscribed();
  const { sink } = await script.next();
  sink.next(event('SUBSCRIBED', 'c0'));
  await start;
  sink.next(event('HEARTBEAT', 'h'));
  sink.end(lost());
  expect((await script.next()).after).toBe('h');
});

it('comes back after it was cut off for lagging', async () => {
  const script = new Script();
  await using stream = streamOn(script);
  const reading = take(stream, 2);
  const first = await script.next();
  first.sink.next(event('SUBSCRIBED', 's'));
  first.sink.next(changesOf('c1'));
  first.sink.end(new NucleusError('LAGGED', 'too slow', { details: { cursor: 'c1' } }));
  const second = await script.next();
  expect(second.after).toBe('c1');
  second.sink.next(changesOf('c2'));
  expect((await reading).map(({ cursor }) => cursor)).toEqual(['c1', 'c2']);
});

it('tells the reader what will not pass, after all that was received before', async () => {
  const script = new Script();
  await using stream = streamOn(script);
  const first = take(stream, 1);
  const { sink } = await script.next();
  sink.next(event('SUBSCRIBED', 's'));
  sink.next(changesOf('c1', 'c2'));
  sink.end(new NucleusError('CURSOR_EXPIRED', 'too old'));
  expect(await first).toHaveLength(1);
  expect(await take(stream, 1)).toMatchObject([{ cursor: 'c2' }]);
  await expect(stream.next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
  expect(script.count).toBe(1);
});

it('gives up on a server that it has never reached', async () => {
  const script = new Script();
  const stream = streamOn(script);
  const start = stream.subscribed();
  for (let attempt = 0; attempt < RETRY.attempts; attempt += 1) (await script.next()).sink.end(lost());
  await expect(start).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(stream.next()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(script.count).toBe(RETRY.attempts);
});

it('never gives up on one that it has reached, and counts failures from the last sign of life', async () => {
  const script = new Script();
  const failures: number[] = [];
  await using stream = streamOn(script, { onReconnect: (event) => failures.push(event.failures) });
  const start = stream.subscribed();
  const first = await script.next();
  first.sink.next(event('SUBSCRIBED', 's'));
  await start;
  first.sink.end(lost());
  for (let attempt = 0; attempt < 8; attempt += 1) (await script.next()).sink.end(lost());
  const sound = await script.next();
  sound.sink.next(changesOf('c1'));
  sound.sink.end(lost());
  await script.next();
  expect(failures).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
});

it('pauses the subscription while the reader is behind, and replays what it has missed', async () => {
  const script = new Script();
  await using stream = streamOn(script);
  const start = stream.subscribed();
  const first = await script.next();
  first.sink.next(event('SUBSCRIBED', 's'));
  await start;
  for (let sent = 1; sent <= 10; sent += 1) first.sink.next(event('CHANGES', `c${sent}`, [change(`c${sent}`, 499)]));
  expect(first.isStopped()).toBe(true);
  await take(stream, 6);
  const second = await script.next();
  expect(second.after).toBe('c10');
  expect((await take(stream, 4)).map(({ cursor }) => cursor)).toEqual(['c7', 'c8', 'c9', 'c10']);
});

it('ends with the reason of the signal, and without one when it is closed', async () => {
  const script = new Script();
  const abort = new AbortController();
  const aborted = streamOn(script, { signal: abort.signal });
  const waiting = aborted.next();
  const { isStopped } = await script.next();
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(isStopped()).toBe(true);
  await expect(aborted.next()).rejects.toThrow('enough');

  const closed = streamOn(script);
  const pending = closed.next();
  const other = await script.next();
  await closed.return();
  expect(await pending).toEqual({ done: true, value: undefined });
  expect(other.isStopped()).toBe(true);
  await expect(streamOn(script, { signal: AbortSignal.abort(new Error('before')) }).next()).rejects.toThrow('before');
});

it('an event that is not of the expected form is an error, not a crash', async () => {
  const script = new Script();
  await using stream = streamOn(script);
  const waiting = stream.next();
  (await script.next()).sink.next({ graphChanges: null });
  await expect(waiting).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
});

const runEvent = (kind: string, cursor: string, runId?: string) => ({
  ingestionRunEvents: { kind, cursor, at: '', run: runId === undefined ? null : { id: runId }, progress: null },
});

it('of runs that one change has moved together none is lost when the connection breaks between them', async () => {
  const script = new Script();
  const source = runEventSource(undefined, undefined);
  await using stream = new ResumingStream<IngestionRunEvent>(script, source, { retry: RETRY });
  const reading = take(stream, 3);
  const first = await script.next();
  first.sink.next(runEvent('SUBSCRIBED', 's'));
  first.sink.next(runEvent('STATE_CHANGED', 'c1', 'a'));
  first.sink.end(lost());
  const second = await script.next();
  expect(second.after).toBe('s');
  second.sink.next(runEvent('SUBSCRIBED', 's'));
  for (const run of ['a', 'b']) second.sink.next(runEvent('STATE_CHANGED', 'c1', run));
  second.sink.next(runEvent('STATE_CHANGED', 'c2', 'a'));
  expect((await reading).map(({ cursor, run }) => `${cursor} ${run?.id}`)).toEqual(['c1 a', 'c1 b', 'c2 a']);
  second.sink.end(lost());
  expect((await script.next()).after).toBe('c1');
});
