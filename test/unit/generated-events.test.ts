import { on } from 'node:events';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { KindCatalog } from '#graph-schema';
import type { Change, ChangeLog, IngestionCatalog, KnowledgeReader } from '#graph-store';
import { ChangeFeed } from '../../server/events/change-feed.js';
import type { EventSources } from '../../server/events/event-sources.js';
import { EventStreams } from '../../server/events/event-streams.js';
import { GeneratedEvents } from '../../server/events/generated-events.js';
import { ProgressHub } from '../../server/events/progress-hub.js';

const logger = pino({ level: 'silent' });
const urnOf = (sequence: number) => `nucleus:dataset:unit:${sequence}`;

/** A change log in memory, each change the creation of one data set. */
class MemoryLog implements Pick<ChangeLog, 'head' | 'read'> {
  sequence = 0;

  async head(): Promise<number> {
    return this.sequence;
  }

  async read({ after, upTo, limit }: { after: number; upTo: number; limit: number }): Promise<Change[]> {
    return Array.from({ length: Math.min(limit, upTo - after) }, (_, index) => changeOf(after + 1 + index));
  }
}

function changeOf(sequence: number): Change {
  const item = { urn: urnOf(sequence), kind: 'Dataset', version: 1, before: {}, after: {}, previous: null };
  const items = [{ ...item, operation: 'created' as const }];
  return { sequence, id: String(sequence), at: new Date(0), actor: 'unit', runId: null, items, size: 100 };
}

let feed: ChangeFeed | undefined;
afterEach(() => feed?.close());

/** The feeder over a log, with a graph that is read by `nodes`. */
function feederOf(log: MemoryLog, nodes: (urns: readonly string[]) => Promise<undefined[]>) {
  feed = new ChangeFeed(log as unknown as ChangeLog, { logger, intervalMs: 1 });
  const sources: EventSources = {
    streams: new EventStreams(feed),
    progress: new ProgressHub(),
    catalog: undefined as unknown as IngestionCatalog,
    kinds: { catalogFor: async () => new KindCatalog() },
    now: () => new Date(0),
  };
  const reader = { nodes } as unknown as Pick<KnowledgeReader, 'nodes'>;
  return new GeneratedEvents(sources, { reader, logger, retryMs: 1 });
}

/** Adds changes until one was seen: generated subscriptions do not say when they have begun. */
async function begin(log: MemoryLog, hasBegun: () => boolean): Promise<void> {
  const lookOrAdd = () => {
    if (hasBegun()) return true;
    log.sequence += 1;
    return false;
  };
  await expect.poll(lookOrAdd, { interval: 5 }).toBe(true);
}

describe('the feeder of the generated subscriptions', () => {
  it('goes on where it stood after an outage, without a gap and without a repetition', async () => {
    const log = new MemoryLog();
    let asked = 0;
    let isDown = false;
    const { events } = feederOf(log, async () => {
      asked += 1;
      if (isDown) throw new AppError('STORE_UNAVAILABLE', 'down');
      return [undefined];
    });
    const seen: string[] = [];
    events.on('create', ({ properties, typename }) => {
      if (typename === 'Dataset') seen.push(properties.new.urn);
    });
    await begin(log, () => seen.length > 0);
    isDown = true;
    const before = asked;
    log.sequence += 5;
    // It has failed more than once, and more has happened in between.
    await expect.poll(() => asked).toBeGreaterThan(before + 2);
    log.sequence += 5;
    isDown = false;
    await expect.poll(() => seen.at(-1)).toBe(urnOf(log.sequence));
    const first = log.sequence - seen.length + 1;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => urnOf(first + index)));
    events.removeAllListeners('create');
  });

  it.each([
    ['what it needs has expired', new AppError('CURSOR_EXPIRED', 'gone', { details: { oldest: 9 } }), 'CURSOR_EXPIRED'],
    ['it has a fault', new TypeError('a bug'), undefined],
  ])('ends all of them when %s, and begins anew with the next one', async (_, failure, code) => {
    const log = new MemoryLog();
    let isBroken = true;
    const { events } = feederOf(log, async () => {
      if (isBroken) throw failure;
      return [undefined];
    });
    const streams = [on(events, 'create'), on(events, 'delete')];
    const ended: unknown[] = [];
    for (const stream of streams) stream.next().catch((error: unknown) => ended.push(error));
    await begin(log, () => ended.length === streams.length);
    expect(ended).toMatchObject(streams.map(() => ({ message: expect.any(String), ...(code && { code }) })));

    isBroken = false;
    let seen = 0;
    events.on('create', () => (seen += 1));
    await begin(log, () => seen > 0);
    events.removeAllListeners('create');
  });
});
