import { NucleusError } from './nucleus-error.js';
import { backoffMs, pause, type RetryPolicy } from './retry-policy.js';
import type { SubscriptionRequest, SubscriptionSink } from './subscription-socket.js';

/** What a stream subscribes through. */
export interface Subscriber {
  /** @returns stops the subscription */
  subscribe(request: SubscriptionRequest, sink: SubscriptionSink): () => void;
}

/** One thing to hand to the reader. */
export interface Delivery<Item> {
  readonly item: Item;
  /** Two deliveries with one key are the same thing; undefined for what is never sent twice. */
  readonly key: string | undefined;
  /** Where to resume once this has been dealt with. */
  readonly resumeAt: string | undefined;
  /** Counts towards the bound of the buffer. */
  readonly size: number;
}

/** What an event of a subscription means to its reader. */
export interface Unpacked<Item> {
  readonly deliveries: readonly Delivery<Item>[];
  /** Where to resume once all of the event has been dealt with. */
  readonly resumeAt: string | undefined;
}

/** How one kind of subscription is asked for and read. */
export interface StreamSource<Item> {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** @param data of one message; throws when it is not what the query asked for */
  unpack(data: unknown): Unpacked<Item>;
}

export interface StreamOptions {
  /** Begins right after this cursor. @default from now on */
  readonly after?: string | undefined;
  /** Ends the stream; a reader that waits gets the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The connection is gone and will be tried again after `waitMs`; `failures` counts the attempts in a row. */
  readonly onReconnect?: ((event: { error: NucleusError; failures: number; waitMs: number }) => void) | undefined;
}

/** Past this size the subscription is paused until the reader has caught up; what it misses is replayed from the log. */
const BUFFER_LIMIT = 5_000;
/** Keys of the latest deliveries: what the server may send twice lies close together. */
const REMEMBERED_KEYS = 10_000;
/** A connection that has brought something, or has lasted this long, counts as sound: the next failure is the first again. */
const SOUND_AFTER_MS = 10_000;

/**
 * A durable subscription: it reconnects with jitter, resumes after the last event that it has received, and leaves out what
 * it has had before. Once it has been subscribed it never gives up on failures that may pass; before that it tries as often
 * as the client's retry policy says. One reader at a time.
 */
export class ResumingStream<Item> implements AsyncIterableIterator<Item>, AsyncDisposable {
  readonly #socket: Subscriber;
  readonly #source: StreamSource<Item>;
  readonly #policy: RetryPolicy;
  readonly #options: StreamOptions;
  readonly #life = new AbortController();
  readonly #buffer: Delivery<Item>[] = [];
  readonly #seen = new Set<string>();
  /** Where the reader stands. */
  #cursor: string | undefined;
  /** Where the next subscription begins: the reader's place and what waits in the buffer. */
  #received: string | undefined;
  #running: Promise<void> | undefined;
  readonly #subscribed: Promise<string>;
  #settleSubscribed: { resolve: (cursor: string) => void; reject: (error: unknown) => void } | undefined;
  #isSubscribed = false;
  #buffered = 0;
  #broughtSomething = false;
  #failure: { readonly error: unknown } | undefined;
  #wakeReader: () => void = () => {};
  #wakeWriter: () => void = () => {};

  constructor(
    socket: Subscriber,
    source: StreamSource<Item>,
    options: StreamOptions & { readonly retry: RetryPolicy },
  ) {
    this.#socket = socket;
    this.#source = source;
    this.#policy = options.retry;
    this.#options = options;
    this.#cursor = options.after;
    this.#received = options.after;
    this.#subscribed = new Promise((resolve, reject) => {
      this.#settleSubscribed = { resolve, reject };
    });
    // Who never asks for the start must not be brought down by its failure: the reader is told as well.
    this.#subscribed.catch(() => undefined);
    this.#life.signal.addEventListener('abort', () => {
      this.#wakeReader();
      this.#wakeWriter();
    });
  }

  /** Resume `after` this once the item read last has been dealt with; undefined until the server has told one. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Subscribes now, not with the first read. @returns the cursor from which on nothing is missed */
  subscribed(): Promise<string> {
    this.#start();
    return this.#subscribed;
  }

  async next(): Promise<IteratorResult<Item, void>> {
    this.#start();
    for (;;) {
      const delivery = this.#buffer.shift();
      if (delivery !== undefined) {
        this.#cursor = delivery.resumeAt;
        this.#buffered -= delivery.size;
        this.#wakeWriter();
        return { done: false, value: delivery.item };
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#life.signal.aborted) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Item, void>> {
    this.#buffer.length = 0;
    this.#life.abort(new NucleusError('UNREACHABLE', 'the stream was closed', { retryable: false }));
    await this.#running;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #start(): void {
    if (this.#running !== undefined) return;
    const { signal } = this.#options;
    const abort = () => this.#fail(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    this.#running = this.#run()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        signal?.removeEventListener('abort', abort);
        this.#settleSubscribed?.reject(this.#failure?.error ?? this.#life.signal.reason);
      });
  }

  #fail(error: unknown): void {
    if (this.#life.signal.aborted) return;
    this.#failure = { error };
    this.#life.abort(error);
  }

  async #run(): Promise<void> {
    const { signal } = this.#life;
    for (let failures = 0; !signal.aborted; ) {
      await this.#roomInBuffer();
      const began = Date.now();
      this.#broughtSomething = false;
      const error = await this.#subscribeOnce();
      if (signal.aborted) return;
      // The buffer was full: no fault of the connection.
      if (error === undefined) continue;
      const mayPass = error.retryable && (this.#isSubscribed || failures + 1 < this.#policy.attempts);
      if (!mayPass) throw error;
      failures = this.#broughtSomething || Date.now() - began > SOUND_AFTER_MS ? 1 : failures + 1;
      const waitMs = backoffMs(this.#policy, failures);
      this.#options.onReconnect?.({ error, failures, waitMs });
      await pause(waitMs, signal).catch(() => undefined);
    }
  }

  /** @returns why the subscription ended; undefined when it was stopped from this side */
  #subscribeOnce(): Promise<NucleusError | undefined> {
    const { signal } = this.#life;
    return new Promise((resolve) => {
      const finish = (error?: NucleusError) => {
        signal.removeEventListener('abort', stopped);
        stop();
        resolve(error);
      };
      const stopped = () => finish();
      const stop = this.#socket.subscribe(
        {
          query: this.#source.query,
          variables: () => ({ ...this.#source.variables, after: this.#received }),
        },
        {
          next: (data) => {
            try {
              this.#take(this.#source.unpack(data));
            } catch (cause) {
              return finish(new NucleusError('BAD_RESPONSE', 'an event is not of the expected form', { cause }));
            }
            if (this.#buffered >= BUFFER_LIMIT) finish();
          },
          end: finish,
        },
      );
      signal.addEventListener('abort', stopped, { once: true });
      if (signal.aborted) finish();
    });
  }

  #take({ deliveries, resumeAt }: Unpacked<Item>): void {
    for (const delivery of deliveries) {
      this.#received = delivery.resumeAt;
      if (!this.#isNew(delivery.key)) continue;
      this.#buffer.push(delivery);
      this.#buffered += delivery.size;
      this.#broughtSomething = true;
    }
    this.#received = resumeAt;
    // With nothing left to read the reader stands where the event ends; otherwise it gets there with the last item.
    const last = this.#buffer.at(-1);
    if (last === undefined) this.#cursor = resumeAt;
    else this.#buffer[this.#buffer.length - 1] = { ...last, resumeAt };
    if (!this.#isSubscribed && resumeAt !== undefined) {
      this.#isSubscribed = true;
      this.#settleSubscribed?.resolve(resumeAt);
    }
    this.#wakeReader();
  }

  #isNew(key: string | undefined): boolean {
    if (key === undefined) return true;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > REMEMBERED_KEYS) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** Waits until half of the buffer has been read. */
  async #roomInBuffer(): Promise<void> {
    while (this.#buffered > BUFFER_LIMIT / 2 && !this.#life.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
  }
}
