/** What an event weighs in a queue. */
export interface EventWeight {
  readonly items: number;
  /** Characters of its JSON, roughly. */
  readonly size: number;
}

/** How much may wait for one subscriber; the event that goes past it is the last. */
export interface QueueLimits extends EventWeight {
  readonly events: number;
}

type Taken<Durable, Ephemeral> = { readonly durable: Durable } | { readonly ephemeral: readonly Ephemeral[] };

/**
 * What one subscriber still has to be sent. Durable events queue up to a bound; a subscriber that reads too slowly is cut
 * off rather than let memory grow or hold up others. Ephemeral ones replace the older one of their key.
 */
export class EventQueue<Durable, Ephemeral> {
  readonly #limits: QueueLimits;
  readonly #lagged: () => Error;
  readonly #durable: { readonly event: Durable; readonly weight: EventWeight }[] = [];
  #items = 0;
  #size = 0;
  readonly #ephemeral = new Map<string, Ephemeral>();
  #wake: (() => void) | undefined;
  #closed = false;
  /** Why no more is let in. */
  #end: { readonly error: () => unknown } | undefined;

  /** @param lagged makes the error with which a subscriber is cut off */
  constructor(limits: QueueLimits, lagged: () => Error) {
    this.#limits = limits;
    this.#lagged = lagged;
  }

  /**
   * @returns whether it was let in; once it was not, no later one is: the subscriber would not see the gap
   */
  push(event: Durable, weight: EventWeight): boolean {
    if (this.#end !== undefined) return false;
    if (this.#isFull()) {
      this.#end = { error: this.#lagged };
    } else {
      this.#durable.push({ event, weight });
      this.#items += weight.items;
      this.#size += weight.size;
    }
    this.#wake?.();
    return this.#end === undefined;
  }

  replace(key: string, event: Ephemeral): void {
    this.#ephemeral.set(key, event);
    this.#wake?.();
  }

  /** No more will come: what waits is still handed over, then `error` is thrown. */
  fail(error: unknown): void {
    this.#end ??= { error: () => error };
    this.#wake?.();
  }

  /** Nobody takes any more: whoever waits is let go. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /**
   * The next durable event, or all ephemeral ones when no durable one waits; waits for something. Undefined once it is closed.
   *
   * @throws the error of `lagged` once the queue has overflown and what it held was taken
   */
  async take(): Promise<Taken<Durable, Ephemeral> | undefined> {
    if (this.#isEmpty() && !this.#closed) await this.#something();
    if (this.#closed) return undefined;
    const first = this.#durable.shift();
    if (first !== undefined) {
      this.#items -= first.weight.items;
      this.#size -= first.weight.size;
      return { durable: first.event };
    }
    if (this.#end !== undefined) throw this.#end.error();
    const ephemeral = [...this.#ephemeral.values()];
    this.#ephemeral.clear();
    return { ephemeral };
  }

  #isFull(): boolean {
    const { events, items, size } = this.#limits;
    return this.#durable.length >= events || this.#items >= items || this.#size >= size;
  }

  #isEmpty(): boolean {
    return this.#durable.length === 0 && this.#ephemeral.size === 0 && this.#end === undefined;
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
