import {
  type BulkBody,
  type BulkInput,
  type BulkResult,
  bulkContentType,
  bulkPath,
  bulkResult,
  isRepeatable,
} from './bulk-upload.js';
import { bounded, type CallOptions, type ReadOptions, type WriteOptions } from './call-options.js';
import { CommitMemory } from './commit-memory.js';
import { graphChangeSource, lineageChangeSource } from './graph-change-source.js';
import { type Fetch, HttpTransport, type TokenSource } from './http-transport.js';
import type {
  Lineage,
  LineageDirection,
  LineageFilter,
  LineageLevel,
  LineageView,
  RunLineage,
} from './lineage-types.js';
import { WriteRefusedError } from './nucleus-error.js';
import { OPERATIONS } from './operations.js';
import { type Page, PagedList } from './paged-list.js';
import { ResumingStream, type StreamOptions } from './resuming-stream.js';
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from './retry-policy.js';
import { runEventSource } from './run-event-source.js';
import type {
  ChangeLogStatus,
  DefineEntityKindInput,
  DefineEntityKindPayload,
  DeleteInput,
  DeletePayload,
  Entity,
  EntityChange,
  EntityKind,
  GraphChange,
  GraphChangeFilter,
  IngestionRunEvent,
  IngestionRunEventFilter,
  JsonObject,
  Link,
  LinkDirection,
  PurgeInput,
  PurgePayload,
  SearchEdge,
  UpsertInput,
  UpsertPayload,
  UserError,
} from './schema-types.js';
import { serverBase } from './server-base.js';
import { SubscriptionSocket, type WebSocketImplementation } from './subscription-socket.js';
import { UploadBody } from './upload-body.js';

export interface NucleusClientOptions {
  /** Address of the server without `/graphql`, for instance `http://127.0.0.1:4000`; a path before that is kept. */
  readonly url: string;
  /** API token; a function is asked before each request and each connection. */
  readonly token?: TokenSource | undefined;
  /** @default the global fetch */
  readonly fetch?: Fetch | undefined;
  /** @default the global WebSocket, else that of the `ws` package */
  readonly webSocket?: WebSocketImplementation | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Milliseconds for a call; uploads and streams have none unless given. @default 30000 */
  readonly deadlineMs?: number | undefined;
}

interface PageOptions extends ReadOptions {
  /** Entries in one page. @default that of the server */
  readonly pageSize?: number | undefined;
}

export interface LineageOptions extends ReadOptions {
  /** @default 'DOWNSTREAM' */
  readonly direction?: LineageDirection | undefined;
  /** Hops over data sets; null is all. @default 3 */
  readonly depth?: number | null | undefined;
  /** @default 'DATASET' */
  readonly level?: LineageLevel | undefined;
  /** @default 'AT' where `at` or `asOfRun` is given, else 'CURRENT' */
  readonly view?: LineageView | undefined;
  /** ISO 8601, up to nine digits of fraction; without a zone it is UTC. */
  readonly at?: string | undefined;
  /** Urn of a run, instead of `at`. */
  readonly asOfRun?: string | undefined;
  readonly filter?: LineageFilter | undefined;
  /** @default that of the server */
  readonly maxNodes?: number | undefined;
  /** @default that of the server */
  readonly maxEdges?: number | undefined;
  /** `truncated.next` of the part before. */
  readonly after?: string | undefined;
}

export interface RunLineageOptions extends ReadOptions {
  /** @default 'UPSTREAM' */
  readonly direction?: LineageDirection | undefined;
  /** Hops over versions; null is all. @default 3 */
  readonly depth?: number | null | undefined;
  /** @default that of the server */
  readonly maxNodes?: number | undefined;
  /** @default that of the server */
  readonly maxEdges?: number | undefined;
  /** `truncated.next` of the part before, whose `urn` is the one to ask for. */
  readonly after?: string | undefined;
}

/** What comes back from a mutation that writes items. */
interface WritePayload {
  readonly commit: string | null;
  readonly replayed?: boolean;
  readonly userErrors: readonly UserError[];
}

interface Connection<Item> {
  readonly nodes: readonly Item[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const DEFAULT_DEADLINE_MS = 30_000;

/**
 * A client of one Nucleus server. Calls reject with a NucleusError, or with the reason of the caller's signal. Failures that
 * may pass are retried; writes too, since each carries an idempotency key. Reads see what this client has written.
 */
export class NucleusClient implements AsyncDisposable {
  readonly #http: HttpTransport;
  readonly #socket: SubscriptionSocket;
  readonly #retry: RetryPolicy;
  readonly #deadlineMs: number;
  readonly #commits = new CommitMemory();

  /** @throws TypeError for an address that is none */
  constructor(options: NucleusClientOptions) {
    const base = serverBase(options.url);
    const socketUrl = new URL('graphql', base);
    socketUrl.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
    const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#http = new HttpTransport({ base, token: options.token, fetch });
    this.#socket = new SubscriptionSocket({ url: socketUrl, token: options.token, webSocket: options.webSocket });
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  }

  /** Creates or changes entities and links. @throws WriteRefusedError when items were refused */
  upsert(input: UpsertInput, options: WriteOptions = {}): Promise<UpsertPayload> {
    return this.#write<UpsertPayload>('upsert', input, options);
  }

  /** Deletes softly: the next upsert brings the entity back. @throws WriteRefusedError when items were refused */
  delete(input: DeleteInput, options: WriteOptions = {}): Promise<DeletePayload> {
    return this.#write<DeletePayload>('delete', input, options);
  }

  /** Removes entities for good. @throws WriteRefusedError when items were refused */
  purge(input: PurgeInput, options: WriteOptions = {}): Promise<PurgePayload> {
    return this.#write<PurgePayload>('purge', input, options);
  }

  /** Defines a kind or adds to one. The same again changes nothing. @throws WriteRefusedError */
  defineEntityKind(input: DefineEntityKindInput, options: WriteOptions = {}): Promise<DefineEntityKindPayload> {
    return this.#mutate<DefineEntityKindPayload>('defineEntityKind', input, { callersKey: false }, options);
  }

  /** @returns null when there is no such entity */
  async node(urn: string, options: ReadOptions & { includeDeleted?: boolean } = {}): Promise<Entity | null> {
    const { includeDeleted = false } = options;
    return (await this.#read<{ node: Entity | null }>(OPERATIONS.node, { urn, includeDeleted }, options)).node;
  }

  /** @param urns at most 500 @returns in the order of the urns, null where there is no such entity */
  async nodes(
    urns: readonly string[],
    options: ReadOptions & { includeDeleted?: boolean } = {},
  ): Promise<readonly (Entity | null)[]> {
    const { includeDeleted = false } = options;
    return (await this.#read<{ nodes: (Entity | null)[] }>(OPERATIONS.nodes, { urns, includeDeleted }, options)).nodes;
  }

  /** Entities ordered by urn, of one kind or of all. */
  entities(options: PageOptions & { kind?: string } = {}): PagedList<Entity> {
    const variables = { kind: options.kind, first: options.pageSize };
    return new PagedList(async (after) => {
      const page = { ...variables, after };
      return pageOf((await this.#read<{ entities: Connection<Entity> }>(OPERATIONS.entities, page, options)).entities);
    });
  }

  /** Links of an entity, those of deleted entities included. An entity that does not exist has none. */
  links(
    urn: string,
    options: PageOptions & { kinds?: readonly string[]; direction?: LinkDirection } = {},
  ): PagedList<Link> {
    const variables = { urn, kinds: options.kinds, direction: options.direction, first: options.pageSize };
    return new PagedList(async (after) => {
      const page = { ...variables, after };
      const { node } = await this.#read<{ node: { links: Connection<Link> } | null }>(OPERATIONS.links, page, options);
      return node === null ? { items: [], next: null } : pageOf(node.links);
    });
  }

  /** Full-text search, the best first. Every word must occur; the last may be unfinished. */
  search(text: string, options: PageOptions & { kinds?: readonly string[] } = {}): PagedList<SearchEdge> {
    const variables = { text, kinds: options.kinds, first: options.pageSize };
    return new PagedList(async (after) => {
      const page = { ...variables, after };
      const { search } = await this.#read<{
        search: { edges: SearchEdge[]; pageInfo: Connection<SearchEdge>['pageInfo'] };
      }>(OPERATIONS.search, page, options);
      return pageOf({ nodes: search.edges, pageInfo: search.pageInfo });
    });
  }

  /** What has happened to one entity, the latest first. */
  changes(urn: string, options: PageOptions = {}): PagedList<EntityChange> {
    return new PagedList(async (after) => {
      const page = { urn, first: options.pageSize, after };
      return pageOf(
        (await this.#read<{ changes: Connection<EntityChange> }>(OPERATIONS.changes, page, options)).changes,
      );
    });
  }

  /** What lies upstream or downstream, or a part of it: `truncated` then says why, and how to go on. */
  async lineage(urn: string, options: LineageOptions = {}): Promise<Lineage> {
    const { signal: _, deadlineMs: __, readAfter: ___, ...asked } = options;
    return (await this.#read<{ lineage: Lineage }>(OPERATIONS.lineage, { urn, ...asked }, options)).lineage;
  }

  /**
   * Which runs read and wrote which versions of data sets, or a part of it.
   *
   * @param urn of a version, of a run, or of a data set, which stands for its latest version
   */
  async runLineage(urn: string, options: RunLineageOptions = {}): Promise<RunLineage> {
    const { signal: _, deadlineMs: __, readAfter: ___, ...asked } = options;
    return (await this.#read<{ runLineage: RunLineage }>(OPERATIONS.runLineage, { urn, ...asked }, options)).runLineage;
  }

  async entityKinds(options: ReadOptions = {}): Promise<readonly EntityKind[]> {
    return (await this.#read<{ entityKinds: EntityKind[] }>(OPERATIONS.entityKinds, {}, options)).entityKinds;
  }

  /** Where the change log stands: subscribe after `head` to see all that comes, after `oldest` to see all that is kept. */
  async changeLog(options: ReadOptions = {}): Promise<ChangeLogStatus> {
    return (await this.#read<{ changeLog: ChangeLogStatus }>(OPERATIONS.changeLog, {}, options)).changeLog;
  }

  /**
   * Any query or mutation. Mutations are not retried: whether that is safe only their author knows.
   *
   * @throws NucleusError for the first of the `errors` of the answer
   */
  graphql<Data = Record<string, unknown>>(
    query: string,
    variables: JsonObject = {},
    options: ReadOptions = {},
  ): Promise<Data> {
    // A document without the word holds no mutation; one with it in a string is merely not retried.
    return this.#read<Data>(query, variables, options, /\bmutation\b/.test(query) ? { attempts: 1 } : {});
  }

  /** Changes of the graph in commit order, across reconnections without gap or repetition. */
  graphChanges(options: StreamOptions & { filter?: GraphChangeFilter } = {}): ResumingStream<GraphChange> {
    const source = graphChangeSource(options.filter);
    return new ResumingStream(this.#socket, source, { ...options, retry: this.#retry });
  }

  /**
   * What happens upstream or downstream of a data set or a job, in commit order, across reconnections without gap or repetition.
   *
   * @param options.direction @default 'UPSTREAM'
   * @param options.depth hops over data sets, null is all @default 3
   */
  lineageChanges(
    urn: string,
    options: StreamOptions & { direction?: LineageDirection | undefined; depth?: number | null | undefined } = {},
  ): ResumingStream<GraphChange> {
    const { direction, depth } = options;
    const source = lineageChangeSource({ urn, direction, depth });
    return new ResumingStream(this.#socket, source, { ...options, retry: this.#retry });
  }

  /** State changes and progress of runs. Progress is not replayed; `cursor` may lie one state change back. */
  ingestionRunEvents(
    options: StreamOptions & { filter?: IngestionRunEventFilter } = {},
  ): ResumingStream<IngestionRunEvent> {
    const source = runEventSource(options.filter, options.after);
    return new ResumingStream(this.#socket, source, { ...options, retry: this.#retry });
  }

  /**
   * Uploads many rows, as Arrow IPC stream or NDJSON. Refused rows are listed in the result.
   *
   * @throws NucleusError when the upload as a whole was refused or broken off; what was written until then stays, and the
   *   same rows may be sent again
   */
  async bulk(
    body: BulkBody,
    input: BulkInput,
    options: CallOptions & { onProgress?: (bytes: number) => void } = {},
  ): Promise<BulkResult> {
    const path = bulkPath({ ...input, idempotencyKey: input.idempotencyKey ?? crypto.randomUUID() });
    const policy = isRepeatable(body) ? this.#retry : { ...this.#retry, attempts: 1 };
    const begun = this.#commits.begin();
    const result = await bounded(options, Number.POSITIVE_INFINITY, (signal) =>
      withRetries(policy, signal, () => this.#upload(path, body, input, { signal, onProgress: options.onProgress })),
    );
    this.#commits.remember(result.commit, begun, { replayed: result.replayed });
    return result;
  }

  /** Ends the subscriptions' connection; a stream that is still read fails. */
  close(): Promise<void> {
    return this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #upload(
    path: string,
    body: BulkBody,
    input: BulkInput,
    options: { signal: AbortSignal; onProgress: ((bytes: number) => void) | undefined },
  ): Promise<BulkResult> {
    const upload = new UploadBody(body, options.onProgress);
    const headers = { 'content-type': bulkContentType(input.format), accept: 'application/json' };
    const request = { method: 'POST', headers, body: upload.init, signal: options.signal } as const;
    try {
      return bulkResult(await this.#http.json(path, request));
    } catch (error) {
      // fetch would show a source that cannot be read as a failed connection.
      throw upload.sourceFailure === undefined ? error : upload.sourceFailure.error;
    } finally {
      upload.close();
    }
  }

  #write<Payload extends WritePayload>(
    name: 'upsert' | 'delete' | 'purge',
    input: UpsertInput | DeleteInput | PurgeInput,
    options: WriteOptions,
  ): Promise<Payload> {
    const callersKey = typeof input.idempotencyKey === 'string';
    const withKey = callersKey ? input : { ...input, idempotencyKey: crypto.randomUUID() };
    return this.#mutate<Payload>(name, withKey, { callersKey }, options);
  }

  async #mutate<Payload extends WritePayload>(
    name: 'upsert' | 'delete' | 'purge' | 'defineEntityKind',
    input: object,
    { callersKey }: { callersKey: boolean },
    options: WriteOptions,
  ): Promise<Payload> {
    const begun = this.#commits.begin();
    const body = { query: OPERATIONS[name], variables: { input } };
    const data = await bounded(options, this.#deadlineMs, (signal) =>
      withRetries(this.#retry, signal, () => this.#http.graphql(body, { signal })),
    );
    const payload = (data as Record<string, Payload>)[name] as Payload;
    // Only a key of the caller's own can belong to a request from before this call.
    this.#commits.remember(payload.commit, begun, { replayed: callersKey && payload.replayed === true });
    const [first, ...more] = payload.userErrors;
    if (first !== undefined && options.onRefusal !== 'return') throw new WriteRefusedError([first, ...more], payload);
    return payload;
  }

  #read<Data>(
    query: string,
    variables: JsonObject,
    options: ReadOptions,
    retry: Partial<RetryPolicy> = {},
  ): Promise<Data> {
    return bounded(options, this.#deadlineMs, async (signal) => {
      const readAfter =
        options.readAfter === undefined ? await this.#ownCommits(signal) : (options.readAfter ?? undefined);
      return withRetries({ ...this.#retry, ...retry }, signal, () =>
        this.#http.graphql({ query, variables }, { signal, readAfter }),
      );
    }) as Promise<Data>;
  }

  async #ownCommits(signal: AbortSignal): Promise<string | undefined> {
    // Shared with other reads, so it does not end with the signal of this one.
    const condensed = this.#commits.condense(async (readAfter) => (await this.changeLog({ readAfter })).head);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      condensed.then(resolve, reject);
    });
    return this.#commits.header;
  }
}

function pageOf<Item>({ nodes, pageInfo }: Connection<Item>): Page<Item> {
  return { items: nodes, next: pageInfo.hasNextPage ? pageInfo.endCursor : null };
}
