import { AppError } from '#errors';
import { abortOnReturn } from './abort-on-return.js';
import type { ChangeFeed } from './change-feed.js';
import { EventChannel, type SubscriberQueue } from './event-channel.js';
import { decodeEventPosition, type EventPosition, encodeEventCursor } from './event-cursor.js';
import { EventQueue, type QueueLimits } from './event-queue.js';
import type { EventView, ResumableEvent } from './event-view.js';

export interface EventStreamOptions {
  /** @default 15_000 */
  readonly heartbeatMs?: number;
  /** What may wait for one subscriber. @default 1,000 events, 50,000 items, 16 Mi characters of JSON */
  readonly queueLimits?: QueueLimits;
}

interface ChannelEntry {
  readonly channel: EventChannel<ResumableEvent, unknown>;
  readonly joined: Promise<{ leave: () => void }>;
  users: number;
}

/** The subscriptions of this process that resume, as PROTOCOL.md describes them. */
export class EventStreams {
  readonly #feed: ChangeFeed;
  readonly #heartbeatMs: number;
  readonly #queueLimits: QueueLimits;
  readonly #channels = new Map<string, ChannelEntry>();

  constructor(feed: ChangeFeed, options: EventStreamOptions = {}) {
    this.#feed = feed;
    this.#heartbeatMs = options.heartbeatMs ?? 15_000;
    this.#queueLimits = options.queueLimits ?? { events: 1_000, items: 50_000, size: 16 * 1024 * 1024 };
  }

  /**
   * What a view shows of the log from `after`, or from now on. First from the log, at the pace of the subscriber; once it
   * stands where the channel of its view stands it joins that. Both happen in one step, so nothing falls between them.
   *
   * @throws InputError for a cursor that is none, or that is of another graph
   * @throws AppError CURSOR_EXPIRED, with the oldest cursor that works; LAGGED for a subscriber that reads too slowly
   */
  open<Event extends ResumableEvent, Tick>(
    view: EventView<Event, Tick>,
    after: string | null | undefined,
  ): AsyncGenerator<Event, void, void> {
    const from = after == null ? undefined : { cursor: after, ...decodeEventPosition(after) };
    return abortOnReturn((signal) => this.#stream(view, from, signal));
  }

  /** Whether somebody is subscribed to what the view with this key shows. */
  isFollowed(key: string): boolean {
    return this.#channels.has(key);
  }

  async *#stream<Event extends ResumableEvent, Tick>(
    view: EventView<Event, Tick>,
    from: (EventPosition & { cursor: string }) | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Event, void, void> {
    const { channel, leave } = await this.#enter(view);
    let cursor = from?.cursor ?? encodeEventCursor(channel.position);
    const queue: SubscriberQueue<Event, Tick> = new EventQueue(this.#queueLimits, () => laggedAt(cursor));
    signal.addEventListener('abort', () => queue.close(), { once: true });
    try {
      if (from !== undefined) await this.#feed.require(from.sequence);
      const past = this.#past(channel, queue, from ?? { sequence: channel.position }, signal);
      // The first page is read before the subscription is confirmed, so that an expired cursor is refused at once.
      let page = await past.next();
      yield view.mark('SUBSCRIBED', cursor);
      let toldAt = Date.now();
      while (!page.done) {
        for (const event of page.value.events) {
          ({ cursor } = event);
          yield event;
          toldAt = Date.now();
        }
        cursor = page.value.cursor;
        if (Date.now() - toldAt >= this.#heartbeatMs) {
          yield view.mark('HEARTBEAT', cursor);
          toldAt = Date.now();
        }
        page = await past.next();
      }
      for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) {
        if ('durable' in taken) {
          ({ cursor } = taken.durable);
          yield taken.durable;
          continue;
        }
        for (const ephemeral of taken.ephemeral) {
          if (ephemeral.kind === 'tick') {
            if (view.ticks !== undefined) yield view.ticks.show(ephemeral.tick, cursor);
          } else if (ephemeral.sequence >= decodeEventPosition(cursor).sequence) {
            cursor = encodeEventCursor(ephemeral.sequence);
            yield view.mark('HEARTBEAT', cursor);
          }
        }
      }
    } catch (error) {
      throw withCursor(error);
    } finally {
      channel.detach(queue);
      leave();
    }
  }

  /** Pages of events up to where the channel stands, then attaches the queue to it. */
  async *#past<Event extends ResumableEvent, Tick>(
    channel: EventChannel<Event, Tick>,
    queue: SubscriberQueue<Event, Tick>,
    from: EventPosition,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly events: readonly Event[]; readonly cursor: string }, void, void> {
    let sequence = from.sequence;
    if (from.part !== undefined) {
      while (channel.position < sequence && !signal.aborted) await channel.moved(signal);
      const changes = await this.#feed.read(sequence - 1, sequence);
      yield { events: await channel.view.project(changes, from), cursor: encodeEventCursor(sequence) };
    }
    while (!signal.aborted) {
      const upTo = channel.position;
      if (sequence === upTo) break;
      if (sequence > upTo) {
        await channel.moved(signal);
        continue;
      }
      const changes = await this.#feed.read(sequence, upTo);
      const events = await channel.project(changes);
      sequence = changes.at(-1)?.sequence ?? sequence;
      yield { events, cursor: encodeEventCursor(sequence) };
    }
    channel.attach(queue);
  }

  /** The channel of a view, shared by all who are in it; the first lets it follow the feed, the last ends that. */
  async #enter<Event extends ResumableEvent, Tick>(
    view: EventView<Event, Tick>,
  ): Promise<{ channel: EventChannel<Event, Tick>; leave: () => void }> {
    const entry = this.#channels.get(view.key) ?? this.#openChannel(view);
    this.#channels.set(view.key, entry);
    entry.users += 1;
    const leave = () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      if (this.#channels.get(view.key) === entry) this.#channels.delete(view.key);
      entry.joined.then((feed) => feed.leave()).catch(() => undefined);
    };
    try {
      await entry.joined;
    } catch (error) {
      this.#channels.delete(view.key);
      leave();
      throw error;
    }
    // A key stands for one view, so a channel that is found by it shows what this view shows.
    return { channel: entry.channel as unknown as EventChannel<Event, Tick>, leave };
  }

  #openChannel<Event extends ResumableEvent, Tick>(view: EventView<Event, Tick>): ChannelEntry {
    const channel = new EventChannel(view, this.#feed, { heartbeatMs: this.#heartbeatMs });
    const joined = this.#feed.join(() => channel.advance());
    return { channel: channel as unknown as ChannelEntry['channel'], joined, users: 0 };
  }
}

function laggedAt(cursor: string): AppError {
  return new AppError('LAGGED', 'too much waited for this subscriber: subscribe again with the last cursor', {
    details: { cursor },
  });
}

/** The store knows sequences, clients know cursors. */
function withCursor(error: unknown): unknown {
  if (!(error instanceof AppError && error.code === 'CURSOR_EXPIRED')) return error;
  const oldest = Number(error.details.oldest);
  return new AppError('CURSOR_EXPIRED', 'the changes after this cursor are no longer kept', {
    details: { oldest: encodeEventCursor(oldest - 1) },
    cause: error,
  });
}
