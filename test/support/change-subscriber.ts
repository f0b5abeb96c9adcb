import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

export interface SeenItem {
  readonly operation: string;
  readonly urn: string;
  readonly kind: string;
  readonly to: string | null;
  readonly version: number;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

export interface SeenChange {
  readonly cursor: string;
  readonly actor: string;
  readonly runId: string | null;
  readonly items: readonly SeenItem[];
}

export interface SeenEvent {
  readonly kind: 'SUBSCRIBED' | 'CHANGES' | 'HEARTBEAT';
  readonly cursor: string;
  readonly changes: readonly SeenChange[];
}

interface SubscriptionError {
  readonly message: string;
  readonly extensions: { readonly code: string; readonly details?: Readonly<Record<string, unknown>> };
}

const GRAPH_CHANGES = `subscription($filter: GraphChangeFilter, $after: String) {
  graphChanges(filter: $filter, after: $after) {
    kind cursor changes { cursor actor runId items { operation urn kind to version before after } }
  }
}`;

const DEADLINE_MS = 30_000;

/** Subscribes to `graphChanges` once, by the graphql-ws client, over a socket of its own, and keeps what comes. */
export class ChangeSubscriber implements AsyncDisposable {
  readonly events: SeenEvent[] = [];
  /** How the subscription has ended. */
  ended: 'completed' | 'closed' | readonly SubscriptionError[] | undefined;
  readonly #watchers = new Set<() => void>();
  readonly #client;
  #socket: WebSocket | undefined;

  /** @param query with the variables `filter` and `after`, if it has any */
  constructor(
    socketUrl: string,
    request: { filter?: object; after?: string | undefined },
    query: string = GRAPH_CHANGES,
  ) {
    this.#client = createClient({
      url: socketUrl,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      on: { connected: (socket) => (this.#socket = socket as WebSocket) },
    });
    this.#client.subscribe<{ graphChanges: SeenEvent }>(
      { query, variables: { ...request } },
      {
        next: ({ data, errors }) => {
          if (data) this.events.push(data.graphChanges);
          else this.ended = errors as unknown as SubscriptionError[];
          this.#look();
        },
        error: (error) => {
          this.ended = Array.isArray(error) ? (error as SubscriptionError[]) : 'closed';
          this.#look();
        },
        complete: () => {
          this.ended ??= 'completed';
          this.#look();
        },
      },
    );
  }

  /** Resolves once the server has said from where it starts. */
  static async open(
    socketUrl: string,
    request: { filter?: object; after?: string | undefined } = {},
  ): Promise<ChangeSubscriber> {
    const subscriber = new ChangeSubscriber(socketUrl, request);
    await subscriber.until(() => subscriber.events.find((event) => event.kind === 'SUBSCRIBED'));
    return subscriber;
  }

  get changes(): readonly SeenChange[] {
    return this.events.flatMap((event) => event.changes);
  }

  get items(): readonly SeenItem[] {
    return this.changes.flatMap((change) => change.items);
  }

  /** Of the latest event. */
  get cursor(): string | undefined {
    return this.events.at(-1)?.cursor;
  }

  /** Stops reading from the socket, as a client does that hangs. */
  stall(): void {
    this.#socket?.pause();
  }

  goOn(): void {
    this.#socket?.resume();
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** The first value that `find` gives, looked for again after each event. */
  until<T>(find: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const look = () => {
        const found = find();
        if (found !== undefined && found !== false) finish(() => resolve(found));
        else if (this.ended !== undefined) finish(() => reject(new Error(`ended: ${JSON.stringify(this.ended)}`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`not in time; last event: ${JSON.stringify(this.events.at(-1))}`))),
        DEADLINE_MS,
      );
      this.#watchers.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.resume();
    await this.#client.dispose();
  }
}
