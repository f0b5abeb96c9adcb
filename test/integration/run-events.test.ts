import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '#errors';
import { type RunState, runUrn } from '#graph-schema';
import type { ChangeLog } from '#graph-store';
import type { ProgressEvent } from '#ingestion/contracts';
import { ChangeFeed } from '../../server/events/change-feed.js';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import type { QueueLimits } from '../../server/events/event-queue.js';
import { type EventSources, runEventStream } from '../../server/events/event-sources.js';
import { EventStreams } from '../../server/events/event-streams.js';
import { ProgressHub } from '../../server/events/progress-hub.js';
import type { RunEvent, RunEventFilter } from '../../server/events/run-event-view.js';
import { gate } from '../support/gate.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('events');

let graph: TestGraph;
let feed: ChangeFeed;
let sources: EventSources;
beforeAll(async () => {
  graph = await openSharedGraph();
  ({ feed, sources } = sourcesOf(graph.log, { intervalMs: 10 }));
});
afterAll(async () => {
  feed.close();
  await graph[Symbol.asyncDispose]();
});

function sourcesOf(
  log: ChangeLog,
  options: { intervalMs: number },
  queueLimits?: QueueLimits,
): { feed: ChangeFeed; sources: EventSources } {
  const feed = new ChangeFeed(log, { logger: pino({ enabled: false }), ...options });
  const {
    catalog,
    knowledge: { kinds },
  } = graph;
  const streams = new EventStreams(feed, queueLimits && { queueLimits });
  return { feed, sources: { streams, progress: new ProgressHub(), catalog, kinds, now: () => new Date() } };
}

interface Run {
  readonly endpointId: string;
  readonly unitId: string;
  readonly id: string;
}
const runOf = (endpoint: string, unitId = 'orders'): Run => ({
  endpointId: `${PREFIX}-${endpoint}`,
  unitId,
  id: randomUUID(),
});

/** A log of which a test replaces a part. */
function logOf(log: ChangeLog): ChangeLog {
  return {
    head: () => log.head(),
    oldest: () => log.oldest(),
    read: (range) => log.read(range),
    history: (urn, page) => log.history(urn, page),
    prune: (olderThan) => log.prune(olderThan),
  };
}

/** Writes a state of a run, as the activities do. @returns the cursor of that change */
async function enter(run: Run, state: RunState, properties: Record<string, string | Date> = {}): Promise<string> {
  const { sequence } = await graph.store.upsertEntity(
    {
      kind: 'IngestionRun',
      urn: runUrn(run.id),
      name: 'run',
      properties: { ...run, sinkId: 'lake', state, ...properties },
    },
    { actor: PREFIX, runId: run.id },
  );
  return encodeEventCursor(sequence ?? 0);
}

/** Events of a stream up to and including the first that `isLast` accepts. */
async function read(stream: AsyncGenerator<RunEvent>, isLast: (event: RunEvent) => boolean): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const { value, done } = await stream.next();
    if (done) throw new Error(`the stream ended after ${events.length} events`);
    events.push(value);
    if (isLast(value)) return events;
  }
}

async function subscribe(filter: RunEventFilter, after?: string): Promise<AsyncGenerator<RunEvent>> {
  const stream = runEventStream(sources, { filter, after });
  expect((await stream.next()).value).toMatchObject({ kind: 'SUBSCRIBED', run: null, progress: null });
  return stream;
}

const isState = (state: RunState) => (event: RunEvent) => event.run?.state === state;
const idsOf = (events: readonly RunEvent[]) => events.flatMap((event) => (event.run === null ? [] : [event.run.id]));

describe('a subscriber', () => {
  it('is told from where it watches, then each change of state as it was at that change', async () => {
    const run = runOf('live');
    await using stream = await subscribe({ endpointId: run.endpointId });
    const startedAt = new Date('2026-01-01T00:00:00Z');
    const error = { errorCode: 'SINK_FULL', errorCategory: 'sink', errorMessage: 'no space left' };
    await enter(run, 'RUNNING', { startedAt });
    const cursor = await enter(run, 'FAILED', { endedAt: new Date('2026-01-01T00:01:00Z'), ...error });
    const [running, failed] = await read(stream, isState('FAILED'));
    expect(running).toMatchObject({
      kind: 'STATE_CHANGED',
      run: { ...run, state: 'RUNNING', startedAt, endedAt: null, error: null },
    });
    expect(failed).toMatchObject({
      kind: 'STATE_CHANGED',
      cursor,
      run: { ...run, state: 'FAILED', startedAt, endedAt: new Date('2026-01-01T00:01:00Z') },
    });
    expect(failed?.run?.error).toEqual({ code: 'SINK_FULL', category: 'sink', field: null, message: 'no space left' });
  });

  it('that comes back gets exactly what it has missed, and then what happens', async () => {
    const runs = Array.from({ length: 4 }, () => runOf('resume'));
    const cursors: string[] = [];
    for (const run of runs.slice(0, 3)) cursors.push(await enter(run, 'RUNNING'));
    await using stream = await subscribe({ endpointId: `${PREFIX}-resume` }, cursors[0]);
    const [last] = runs.slice(3);
    if (last === undefined) throw new Error('no run');
    await enter(last, 'SUCCEEDED');
    const events = await read(stream, isState('SUCCEEDED'));
    expect(idsOf(events)).toEqual(runs.slice(1).map((run) => run.id));
  });

  it('loses and doubles nothing between the past and the present while others write', async () => {
    const ROUNDS = 40;
    const first = runOf('hand-over');
    const after = await enter(first, 'RUNNING');
    const written: string[] = [];
    const writing = (async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const run = runOf('hand-over');
        written.push(run.id);
        await enter(run, round === ROUNDS - 1 ? 'SUCCEEDED' : 'RUNNING');
      }
    })();
    const subscribers = Array.from({ length: 6 }, async (_, index) => {
      // Each comes at another moment of the writing, by what has been written and not by the clock.
      await expect.poll(() => written.length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(index * 5);
      await using stream = await subscribe({ endpointId: first.endpointId }, after);
      return idsOf(await read(stream, isState('SUCCEEDED')));
    });
    const seen = await Promise.all(subscribers);
    await writing;
    for (const ids of seen) expect(ids).toEqual(written);
  });

  it('misses nothing when another one comes while it begins to listen', async () => {
    const release = gate();
    let heads = 0;
    const slowSecondHead: ChangeLog = {
      ...logOf(graph.log),
      head: async () => {
        heads += 1;
        if (heads === 2) await release.passed;
        return graph.log.head();
      },
    };
    const { feed: own, sources: ownSources } = sourcesOf(slowSecondHead, { intervalMs: 500 });
    const run = runOf('together');
    const first = runEventStream(ownSources, { filter: { endpointId: run.endpointId } });
    const second = runEventStream(ownSources, { filter: { endpointId: run.endpointId } });
    const secondSubscribed = (async () => {
      await first.next();
      await enter(run, 'SUCCEEDED');
      release.open();
    })();
    await Promise.all([second.next(), secondSubscribed]);
    expect(idsOf(await read(first, isState('SUCCEEDED')))).toEqual([run.id]);
    await Promise.all([first.return(), second.return()]);
    own.close();
  });

  it('that was ahead of this server elsewhere gets nothing again', async () => {
    const { feed: slow, sources: behind } = sourcesOf(graph.log, { intervalMs: 300 });
    const [known, next] = [runOf('ahead'), runOf('ahead')];
    const first = runEventStream(behind, { filter: { endpointId: known.endpointId } });
    await first.next();
    // As sent by another server, which has read this change while the feed of this one has not.
    const after = await enter(known, 'RUNNING');
    const second = runEventStream(behind, { filter: { endpointId: known.endpointId }, after });
    await second.next();
    await enter(next, 'SUCCEEDED');
    expect(idsOf(await read(second, isState('SUCCEEDED')))).toEqual([next.id]);
    expect(idsOf(await read(first, isState('SUCCEEDED')))).toEqual([known.id, next.id]);
    await Promise.all([first.return(), second.return()]);
    slow.close();
  });

  it('sees only what it asked for', async () => {
    const [wanted, otherUnit, otherEndpoint] = [runOf('filter'), runOf('filter', 'invoices'), runOf('filter-2')];
    await using byUnit = await subscribe({ endpointId: wanted.endpointId, unitId: 'orders' });
    await using byRun = await subscribe({ runId: wanted.id });
    for (const run of [otherEndpoint, otherUnit]) await enter(run, 'RUNNING');
    await enter(wanted, 'SUCCEEDED');
    for (const stream of [byUnit, byRun]) {
      expect(idsOf(await read(stream, isState('SUCCEEDED')))).toEqual([wanted.id]);
    }
  });

  it('gets progress of the runs it watches, the latest of each, and nothing of it later', async () => {
    const [run, other] = [runOf('progress'), runOf('progress-2')];
    const progress = ({ endpointId, unitId, id }: Run, rowsRead: number): ProgressEvent => ({
      type: 'progress',
      runId: id,
      endpointId,
      unitId,
      sinkId: null,
      phase: 'export',
      rowsRead,
      rowsWritten: 0,
      rowsPerSecond: 1,
      at: '2026-01-01T00:00:00Z',
    });
    await using stream = await subscribe({ endpointId: run.endpointId });
    sources.progress.publish(progress(other, 5));
    sources.progress.publish(progress(run, 10));
    sources.progress.publish(progress(run, 20));
    const { value } = await stream.next();
    expect(value).toMatchObject({ kind: 'PROGRESS', run: null, progress: { runId: run.id, rowsRead: 20 } });
    await using late = await subscribe({ endpointId: run.endpointId }, (value as RunEvent).cursor);
    await enter(run, 'SUCCEEDED');
    expect((await read(late, isState('SUCCEEDED'))).map((event) => event.kind)).toEqual(['STATE_CHANGED']);
  });

  it('that reads too slowly is cut off, and told where to go on', async () => {
    const { feed: own, sources: strict } = sourcesOf(
      graph.log,
      { intervalMs: 10 },
      { events: 3, items: 100, size: 100_000 },
    );
    const endpointId = `${PREFIX}-lagged`;
    const slow = runEventStream(strict, { filter: { endpointId } });
    await slow.next();
    const runs = Array.from({ length: 5 }, () => runOf('lagged'));
    const cursors: string[] = [];
    for (const run of runs) cursors.push(await enter(run, 'SUCCEEDED'));
    // Another subscriber with the same filter has been sent the last change, so the slow one has been offered it too.
    const quick = runEventStream(strict, { filter: { endpointId }, after: cursors[0] });
    await read(quick, (event) => event.run?.id === runs[4]?.id);

    const seen: RunEvent[] = [];
    const lagged = await (async () => {
      for await (const event of slow) seen.push(event);
    })().catch((error: unknown) => error);
    expect(idsOf(seen)).toEqual(runs.slice(0, 3).map((run) => run.id));
    expect(lagged).toMatchObject({ code: 'LAGGED', details: { cursor: cursors[2] } });
    const resumed = runEventStream(strict, { filter: { endpointId }, after: cursors[2] });
    const rest = await read(resumed, (event) => event.run?.id === runs[4]?.id);
    expect(idsOf(rest)).toEqual(runs.slice(3).map((run) => run.id));
    await Promise.all([slow, quick, resumed].map((stream) => stream.return()));
    own.close();
  });

  it('can leave while it waits', async () => {
    const stream = await subscribe({ endpointId: `${PREFIX}-nothing` });
    const waiting = stream.next();
    expect(await stream.return(undefined)).toEqual({ value: undefined, done: true });
    expect(await waiting).toEqual({ value: undefined, done: true });
  }, 5_000);

  it('is refused with a cursor that is none', () => {
    expect(() => runEventStream(sources, { filter: {}, after: 'yesterday' })).toThrow(InputError);
  });
});
