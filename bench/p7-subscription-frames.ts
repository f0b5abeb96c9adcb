import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { datasetUrn, KindCatalog } from '#graph-schema';
import type { Change, ChangeLog } from '#graph-store';
import { ChangeFeed } from '../server/events/change-feed.js';
import { EventStreams } from '../server/events/event-streams.js';
import { createExecutableSchema } from '../server/graphql/executable-schema.js';
import type { GraphqlContext } from '../server/graphql/graphql-context.js';
import { OperationGate } from '../server/graphql/limits/operation-gate.js';
import { requestLimits } from '../server/graphql/limits/request-limits.js';
import { serveSubscriptions } from '../server/graphql/subscription-server.js';
import { BearerAuth } from '../server/http/bearer-auth.js';
import { RequestGuard } from '../server/http/request-guard.js';
import { ClientProcess } from './client-process.js';
import { defineBenchmark, type RatioCase } from './harness/index.js';
import { DATASET_CHANGES } from './subscription-socket.js';

/** A change log in memory: what is measured is the way from the log to the sockets. */
class MemoryLog implements Pick<ChangeLog, 'head' | 'read'> {
  readonly #changes: Change[] = [];

  add(): number {
    const sequence = this.#changes.length + 1;
    const item = {
      operation: 'updated' as const,
      urn: datasetUrn('postgres://warehouse:5432', `shop.public.orders_${sequence % 100}`),
      kind: 'Dataset',
      version: sequence,
      before: { rowCount: sequence, description: 'Orders of the shop, one row for each line of an order.' },
      after: { rowCount: sequence + 1, description: 'Orders of the shop, one row for each line of each order.' },
      previous: null,
    };
    this.#changes.push({
      sequence,
      id: String(sequence),
      at: new Date(),
      actor: 'bench',
      runId: null,
      items: [item],
      size: JSON.stringify([item]).length,
    });
    return sequence;
  }

  async head(): Promise<number> {
    return this.#changes.length;
  }

  async read({ after, upTo, limit }: { after: number; upTo: number; limit: number }): Promise<Change[]> {
    return this.#changes.slice(after, Math.min(upTo, after + limit));
  }
}

interface FanOut {
  /** Makes one change, and waits until the server has it. */
  readonly change: () => Promise<void>;
  readonly subscriptionUrl: string;
  /** A message as a subscriber gets it. */
  readonly frame: Buffer;
  readonly bare: WebSocketServer;
  readonly bareUrl: string;
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** @returns where clients subscribe to the changes of the log */
async function serveLog(log: MemoryLog, feed: ChangeFeed): Promise<Server> {
  const schema = await createExecutableSchema({});
  const limits = requestLimits({
    GRAPHQL_MAX_DEPTH: 15,
    GRAPHQL_MAX_COST: 100_000,
    GRAPHQL_MAX_TOKENS: 10_000,
    GRAPHQL_MAX_BODY_BYTES: 1_048_576,
    GRAPHQL_MAX_SOCKET_OPERATIONS: 100,
    GRAPHQL_TIMEOUT_MS: 30_000,
  });
  const catalog = new KindCatalog();
  // Only what a subscription to changes touches.
  const context = {
    knowledge: { log },
    events: { streams: new EventStreams(feed), kinds: { catalogFor: async () => catalog }, now: () => new Date() },
  } as unknown as GraphqlContext;
  const server = createServer();
  serveSubscriptions(server, {
    schema,
    context,
    auth: new BearerAuth(undefined),
    guard: new RequestGuard({ localOnly: true }),
    gate: new OperationGate(schema, limits.operation),
    limits,
    logger: pino({ enabled: false }),
  });
  return server;
}

function fanOut(clients: number, events: { full: number; quick: number }): RatioCase<FanOut> {
  return {
    kind: 'ratio',
    name: `${clients} clients`,
    unit: 'frames',
    target: { atLeast: 0.45 },
    sides: {
      ours: async ({ env, quick, time }) => {
        await using receivers = await ClientProcess.start(env.subscriptionUrl, clients, DATASET_CHANGES);
        const count = quick ? events.quick : events.full;
        return await time(count * clients, () => receivers.take(count, env.change));
      },
      baseline: async ({ env, quick, time }) => {
        await using receivers = await ClientProcess.start(env.bareUrl, clients);
        const count = quick ? events.quick : events.full;
        return await time(count * clients, () => receivers.take(count, () => broadcast(env.bare.clients, env.frame)));
      },
    },
  };
}

/** Sends to all and waits for the last, so that both sides hand over one event after the other. */
async function broadcast(sockets: ReadonlySet<WebSocket>, frame: Buffer): Promise<void> {
  const sent = [...sockets].map(
    (socket) => new Promise<void>((resolve) => socket.send(frame, { binary: false }, () => resolve())),
  );
  await Promise.all(sent);
}

export const benchmark = defineBenchmark<FanOut>({
  id: 'P7',
  name: 'subscription-frames',
  what: 'Events of `graphChanges` to many sockets, one change to an event, in comparison with a bare `ws` server that sends the same bytes to as many. The change log is in memory; the clients are in another process.',
  setUp: async (environment) => {
    const log = new MemoryLog();
    const feed = new ChangeFeed(log as unknown as ChangeLog, { logger: pino({ enabled: false }) });
    const subscriptions = await serveLog(log, feed);
    const subscriptionUrl = `${await listening(subscriptions)}/graphql`;
    const bareServer = createServer();
    const bare = new WebSocketServer({ server: bareServer });
    const bareUrl = await listening(bareServer);
    environment.use({
      [Symbol.asyncDispose]: async () => {
        feed.close();
        for (const server of [subscriptions, bareServer]) server.close().closeAllConnections();
      },
    });
    const change = async () => {
      const sequence = log.add();
      feed.announce(sequence);
      while (feed.position < sequence) await new Promise(setImmediate);
    };
    const frame = await captureFrame(subscriptionUrl, change);
    return { change, subscriptionUrl, frame, bare, bareUrl };
  },
  cases: [fanOut(100, { full: 2_000, quick: 200 }), fanOut(1_000, { full: 200, quick: 20 })],
});

/** What one subscriber is sent for one change. */
async function captureFrame(url: string, change: () => Promise<void>): Promise<Buffer> {
  const socket = new WebSocket(url, ['graphql-transport-ws']);
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  const id = '0f0e0d0c-0b0a-0908-0706-050403020100';
  socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: DATASET_CHANGES } }));
  await once(socket, 'message');
  const message = once(socket, 'message');
  await change();
  const [frame] = (await message) as [Buffer];
  socket.close();
  await once(socket, 'close');
  return frame;
}
