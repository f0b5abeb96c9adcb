import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppError, ERROR_REGISTRY } from '#errors';
import { ENTITY_LABELS, type EntityKind, parseUrn } from '#graph-schema';
import type { EntityRecord, KnowledgeReader } from '#graph-store';
import { type EventSources, graphChangeStream } from './event-sources.js';
import type { GraphChange, GraphChangeItem } from './graph-change-view.js';

type Properties = Readonly<Record<string, unknown>>;

/** The form in which @neo4j/graphql takes events. */
interface GeneratedEvent {
  readonly event: 'create' | 'update' | 'delete';
  readonly typename: string;
  readonly properties: { readonly old: Properties | undefined; readonly new: Properties | undefined };
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

const EVENTS = {
  CREATED: 'create',
  REVIVED: 'create',
  UPDATED: 'update',
  DELETED: 'delete',
  PURGED: 'delete',
} as const satisfies Record<GraphChangeItem['operation'], GeneratedEvent['event']>;

const NAMES: ReadonlySet<unknown> = new Set(Object.values(EVENTS));

const RETRY_MS = 500;

/**
 * Feeds the `…Created`, `…Updated` and `…Deleted` fields that @neo4j/graphql generates: it asks for an object with an emitter.
 * The change log is read only while somebody listens. A change names only what has changed, so the rest of an entity
 * is read when the event is sent. After a failure that passes it goes on where it stood; after any other the subscriptions end.
 */
export class GeneratedEvents {
  readonly events = new EventEmitter();
  readonly #sources: EventSources;
  readonly #reader: Pick<KnowledgeReader, 'nodes'>;
  readonly #logger: Logger;
  readonly #retryMs: number;
  /** Aborted when nobody listens any more. */
  #feeding: AbortController | undefined;

  /** @param options `retryMs` is how long it lets the log or the graph alone that could not be read. @default 500 */
  constructor(
    sources: EventSources,
    options: { reader: Pick<KnowledgeReader, 'nodes'>; logger: Logger; retryMs?: number },
  ) {
    this.#sources = sources;
    this.#reader = options.reader;
    this.#logger = options.logger;
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.events.setMaxListeners(0);
    this.events.on('newListener', (name) => {
      if (NAMES.has(name)) this.#start();
    });
    this.events.on('removeListener', () => {
      if (this.#isUnheard()) this.close();
    });
  }

  close(): void {
    this.#feeding?.abort();
    this.#feeding = undefined;
  }

  #isUnheard(): boolean {
    return Object.values(EVENTS).every((name) => this.events.listenerCount(name) === 0);
  }

  #start(): void {
    if (this.#feeding !== undefined) return;
    const feeding = new AbortController();
    this.#feeding = feeding;
    this.#feed(feeding.signal).catch((error: unknown) => {
      if (feeding.signal.aborted) return;
      this.#logger.error({ err: error }, 'generated subscriptions have missed changes and end');
      this.#feeding = undefined;
      if (this.events.listenerCount('error') > 0) this.events.emit('error', error);
    });
  }

  /** @throws what does not pass by itself: changes have been missed then */
  async #feed(signal: AbortSignal): Promise<void> {
    let cursor: string | undefined;
    const moved = (to: string) => {
      cursor = to;
    };
    while (!signal.aborted) {
      try {
        await this.#run(cursor, moved, signal);
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#logger.warn({ err: error }, 'generated subscriptions wait, and go on where they stood');
        await pause(this.#retryMs, undefined, { signal });
      }
    }
  }

  async #run(after: string | undefined, moved: (cursor: string) => void, signal: AbortSignal): Promise<void> {
    const stream = graphChangeStream(this.#sources, { filter: { labels: ['Entity'] }, after });
    const end = () => void stream.return();
    signal.addEventListener('abort', end, { once: true });
    try {
      for await (const { changes, cursor } of stream) {
        for (const change of changes) {
          const nodes = await this.#reader.nodes(
            change.items.map(({ urn }) => urn),
            { includeDeleted: true },
          );
          if (signal.aborted) return;
          for (const [index, item] of change.items.entries()) this.#emit(item, change, nodes[index] ?? undefined);
          moved(change.cursor);
        }
        moved(cursor);
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  #emit(item: GraphChangeItem, change: GraphChange, node: EntityRecord | undefined): void {
    const event = EVENTS[item.operation];
    const now = node === undefined ? purged(item, change) : { ...node, ...node.properties };
    const properties = {
      old: event === 'create' ? undefined : { ...now, ...item.before },
      new: event === 'delete' ? undefined : { ...now, ...item.after },
    };
    const timestamp = change.at.getTime();
    for (const typename of labelsOfKind(item.kind)) {
      this.events.emit(event, { event, typename, properties, timestamp } satisfies GeneratedEvent);
    }
  }
}

/** After these nothing is lost: what was not sent yet is still in the log. */
function isPassing(error: unknown): boolean {
  return error instanceof AppError && ERROR_REGISTRY[error.code].retryable;
}

/** What can still be said of an entity that was removed for good. */
function purged({ urn, kind, version }: GraphChangeItem, { at }: GraphChange): Properties {
  return { urn, kind, version, name: parseUrn(urn).parts.at(-1), createdAt: at, updatedAt: at };
}

/** An ingestion unit is a job as well, and who watches jobs is told of it. */
function labelsOfKind(kind: string): readonly string[] {
  return Object.hasOwn(ENTITY_LABELS, kind) ? ENTITY_LABELS[kind as EntityKind] : [kind];
}
