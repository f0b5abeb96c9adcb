import { setTimeout } from 'node:timers/promises';
import { AppError, ERROR_REGISTRY } from '#errors';
import type { Change } from '#graph-store';
import type { ChangeFeed } from './change-feed.js';
import type { EventQueue } from './event-queue.js';
import type { EventView, ResumableEvent } from './event-view.js';

/** What a channel puts into the queues beside durable events. A heartbeat is as fresh as the sequence it names. */
type Ephemeral<Tick> =
  | { readonly kind: 'heartbeat'; readonly sequence: number }
  | { readonly kind: 'tick'; readonly tick: Tick };

export type SubscriberQueue<Event, Tick> = EventQueue<Event, Ephemeral<Tick>>;

const RETRY_MS = 500;

/**
 * The live stream of one view, made once for all its subscribers: the same event objects go into every queue, so whatever is
 * derived from an event can be derived once as well.
 */
export class EventChannel<Event extends ResumableEvent, Tick = never> {
  readonly view: EventView<Event, Tick>;
  readonly #feed: ChangeFeed;
  readonly #heartbeatMs: number;
  readonly #queues = new Set<SubscriberQueue<Event, Tick>>();
  readonly #projected = new WeakMap<readonly Change[], Promise<readonly Event[]>>();
  readonly #moved = new Set<() => void>();
  #position = 0;
  /** Grows whenever the first subscriber attaches. */
  #stretch = 0;
  #pumping = false;
  /** Begins anew with every event. */
  #heartbeat: NodeJS.Timeout | undefined;
  #leave: (() => void) | undefined;

  constructor(view: EventView<Event, Tick>, feed: ChangeFeed, options: { heartbeatMs: number }) {
    this.view = view;
    this.#feed = feed;
    this.#heartbeatMs = options.heartbeatMs;
  }

  /** Sequence of the change up to which those who attach now have to have been sent everything. */
  get position(): number {
    return this.#queues.size === 0 ? this.#feed.position : this.#position;
  }

  /** Every event after the present position goes into the queue from now on. */
  attach(queue: SubscriberQueue<Event, Tick>): void {
    if (this.#queues.size === 0) {
      this.#position = this.#feed.position;
      this.#stretch += 1;
      this.#leave = this.#open();
    }
    this.#queues.add(queue);
  }

  detach(queue: SubscriberQueue<Event, Tick>): void {
    if (this.#queues.delete(queue) && this.#queues.size === 0) this.#leave?.();
  }

  /** The events of some changes; of an array that was projected before, the same ones. */
  project(changes: readonly Change[]): Promise<readonly Event[]> {
    const known = this.#projected.get(changes);
    if (known !== undefined) return known;
    const projected = this.view.project(changes);
    this.#projected.set(changes, projected);
    // A failure is told to those who wait for it; the next who asks tries again.
    projected.catch(() => this.#projected.delete(changes));
    return projected;
  }

  /** Waits until the channel has moved on from where it stands. */
  moved(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#moved.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#moved.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  /** Called whenever the feed has moved on. */
  advance(): void {
    if (this.#queues.size === 0) this.#tellMoved();
    else if (!this.#pumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    while (this.#queues.size > 0 && this.#position < this.#feed.position) {
      const stretch = this.#stretch;
      try {
        const changes = await this.#feed.read(this.#position, this.#feed.position);
        const events = await this.project(changes);
        // Meanwhile all may have left and others come, who stand elsewhere.
        if (stretch !== this.#stretch) continue;
        this.#position = changes.at(-1)?.sequence ?? this.#position;
        for (const event of events) this.#push(event);
      } catch (error) {
        if (isOutage(error)) await setTimeout(RETRY_MS);
        else if (stretch === this.#stretch) this.#fail(error);
      }
      this.#tellMoved();
    }
    this.#pumping = false;
  }

  #fail(error: unknown): void {
    for (const queue of this.#queues) queue.fail(error);
    this.#queues.clear();
    this.#leave?.();
  }

  #push(event: Event): void {
    const weight = this.view.weightOf(event);
    for (const queue of this.#queues) queue.push(event, weight);
    this.#heartbeat?.refresh();
  }

  #open(): () => void {
    const stopTicks = this.view.ticks?.listen((key, tick) => {
      for (const queue of this.#queues) queue.replace(key, { kind: 'tick', tick });
    });
    this.#heartbeat = setInterval(() => {
      const heartbeat = { kind: 'heartbeat', sequence: this.#position } as const;
      for (const queue of this.#queues) queue.replace('', heartbeat);
    }, this.#heartbeatMs);
    return () => {
      stopTicks?.();
      clearInterval(this.#heartbeat);
      this.#leave = undefined;
    };
  }

  #tellMoved(): void {
    for (const done of this.#moved) done();
  }
}

/** An outage ends by itself; subscribers stay, and go on without a gap. */
function isOutage(error: unknown): boolean {
  return error instanceof AppError && ERROR_REGISTRY[error.code].retryable;
}
