import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Client } from '@temporalio/client';
import { type IngestionCatalog, Neo4jLineageReader, Neo4jLineageStore } from '#graph-store';
import { LineageRetention, type OpenLineage } from '#ingestion';
import type { RetentionPolicy } from '../../server/commands/apply-lineage-retention.js';
import { createApp } from '../../server/create-app.js';
import { ChangeFeed } from '../../server/events/change-feed.js';
import type { QueueLimits } from '../../server/events/event-queue.js';
import { EventStreams } from '../../server/events/event-streams.js';
import { ProgressHub } from '../../server/events/progress-hub.js';
import { loadGraphiqlBundle } from '../../server/graphiql/graphiql-bundle.js';
import type { RequestLimits } from '../../server/graphql/limits/request-limits.js';
import type { HealthCheck } from '../../server/http/health-routes.js';
import { capturedLog } from './captured-log.js';
import { DEFAULT_LIMITS } from './default-limits.js';
import type { TestGraph } from './graph.js';
import { openIngestionRoom } from './ingestion-room.js';

interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface GraphqlAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test selects its fields by hand and asserts on them at once
  readonly data: any;
  readonly errors: readonly { message: string; extensions: Record<string, unknown> }[] | undefined;
}

/** The server's HTTP side, in this process, listening on a free port. */
export interface HttpApp extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly socketUrl: string;
  readonly internalToken: string;
  /** Where it looks for previews. */
  readonly metadataRoot: string;
  readonly readyWorkers: readonly string[];
  /** Everything that it has logged. */
  readonly log: () => string;
  /** `fetch` does not let a caller choose the Host header, which some tests are about. */
  call(method: string, path: string, headers?: Record<string, string>, body?: string | Uint8Array): Promise<HttpAnswer>;
  graphql(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<GraphqlAnswer>;
}

export async function openHttpApp(
  graph: TestGraph,
  options: {
    temporal: Client;
    apiToken?: string;
    healthChecks?: Record<string, HealthCheck>;
    /** @default those of the settings */
    limits?: Partial<RequestLimits>;
    /** @default 16 MiB */
    bulkMaxBytes?: number;
    /** Takes events of OpenLineage; the caller closes it. @default none, and no routes for it */
    openLineage?: OpenLineage;
    /** @default those of the settings */
    lineage?: { maxBytes?: number; waitMs?: number };
    /** @default that of the settings: nothing is removed unless the mutation says what */
    retentionPolicy?: Partial<RetentionPolicy>;
    /** @default that of the server */
    heartbeatMs?: number;
    /** What may wait for one subscriber. @default that of the server */
    queueLimits?: QueueLimits;
    /** For a server whose reads fail. @default that of the graph */
    catalog?: IngestionCatalog;
    /** That of a server before, to come back where its clients look for it. @default a free one */
    port?: number;
  },
): Promise<HttpApp> {
  const room = await openIngestionRoom(graph, options.temporal);
  const { logger, lines } = capturedLog();
  const internalToken = randomBytes(24).toString('base64url');
  const readyWorkers: string[] = [];
  const feed = new ChangeFeed(graph.log, { logger, intervalMs: 10 });
  const app = await createApp({
    driver: graph.driver,
    context: {
      commands: { ...room.commands, ...(options.catalog && { catalog: options.catalog }) },
      knowledge: graph.knowledge,
      lineage: new Neo4jLineageReader(graph.driver),
      actor: 'api',
      events: {
        streams: new EventStreams(feed, {
          ...(options.heartbeatMs !== undefined && { heartbeatMs: options.heartbeatMs }),
          ...(options.queueLimits && { queueLimits: options.queueLimits }),
        }),
        progress: new ProgressHub(),
        catalog: graph.catalog,
        kinds: graph.knowledge.kinds,
        now: () => new Date(),
      },
      openLineage: options.openLineage,
      retention: new LineageRetention(new Neo4jLineageStore(graph.driver)),
      retentionPolicy: { days: 0, keepRunsPerJob: 10, ...options.retentionPolicy },
      lineageWaitMs: options.lineage?.waitMs ?? 10_000,
      browserUrl: 'http://127.0.0.1:7474/browser/',
    },
    apiToken: options.apiToken,
    internalToken,
    onWorkerReady: (hash) => readyWorkers.push(hash),
    healthChecks: options.healthChecks ?? {},
    graphiql: await loadGraphiqlBundle('.nucleus/build'),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    bulkMaxBytes: options.bulkMaxBytes ?? 16 * 1024 * 1024,
    lineage: { maxBytes: 16 * 1024 * 1024, waitMs: 10_000, ...options.lineage },
    logger,
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const port = Number(new URL(url).port);
  const call: HttpApp['call'] = (method, path, headers = {}, body) => send({ port, method, path, headers }, body);
  return {
    port,
    url,
    socketUrl: `ws://127.0.0.1:${port}/graphql`,
    internalToken,
    metadataRoot: room.metadataRoot,
    readyWorkers,
    log: () => lines.join(''),
    call,
    graphql: async (query, variables = {}, headers = {}) => {
      const json = { 'content-type': 'application/json', ...headers };
      const answer = await call('POST', '/graphql', json, JSON.stringify({ query, variables }));
      const { data, errors } = JSON.parse(answer.text);
      return { status: answer.status, data, errors };
    },
    [Symbol.asyncDispose]: async () => {
      feed.close();
      await app.close();
      await room[Symbol.asyncDispose]();
    },
  };
}

function send(
  target: { port: number; method: string; path: string; headers: Record<string, string> },
  body: string | Uint8Array | undefined,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', ...target }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
