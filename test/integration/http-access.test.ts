import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { openDriver } from '#graph-store';
import { INTERNAL_EVENTS_PATH } from '#ingestion/contracts';
import { testEnvironment } from '../support/environment.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

const TOKEN = 'an-api-token-of-24-characters';
const QUERY = '{ metadataEndpointTemplates { id } }';
const JSON_BODY = { 'content-type': 'application/json' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

let graph: TestGraph;
let temporal: TestNamespace;
/** On loopback, without a token. */
let open: HttpApp;
/** With a token; one of its stores is down. */
let guarded: HttpApp;

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('http')]);
  const { NEO4J_URI: uri } = testEnvironment();
  const refused = openDriver({ uri, user: 'nobody', password: 'wrong' });
  await refused.close();
  open = await openHttpApp(graph, {
    temporal: temporal.client,
    healthChecks: { neo4j: () => graph.driver.verifyConnectivity() },
  });
  guarded = await openHttpApp(graph, {
    temporal: temporal.client,
    apiToken: TOKEN,
    healthChecks: {
      neo4j: () => refused.verifyConnectivity(),
      temporal: () => temporal.connection.healthService.check({}),
    },
  });
});
afterAll(async () => {
  for (const part of [guarded, open, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

/** How a server answers to a WebSocket: the first message after `connection_init`, or how it was turned away. */
function connect(url: string, options: { headers?: Record<string, string>; payload?: object } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers: options.headers ?? {} });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: options.payload })));
    socket.on('message', (message) => {
      resolve(JSON.parse(String(message)).type);
      socket.close();
    });
    socket.on('close', (code) => resolve(`closed ${code}`));
    socket.on('unexpected-response', (_, response) => {
      resolve(`refused ${response.statusCode}`);
      socket.terminate();
    });
    socket.on('error', reject);
  });
}

describe('the token', () => {
  it.each([
    ['none', {}],
    ['another', bearer('an-api-token-of-24-characterz')],
    ['a part of it', bearer(TOKEN.slice(0, -1))],
    ['it without the scheme', { authorization: TOKEN }],
  ])('is needed over HTTP and WebSocket: %s does not do', async (_, headers: Record<string, string>) => {
    const answer = await guarded.call(
      'POST',
      '/graphql',
      { ...JSON_BODY, ...headers },
      JSON.stringify({ query: QUERY }),
    );
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text).errors[0].extensions).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect(answer.text).not.toContain(TOKEN);
    expect(await connect(guarded.socketUrl, { payload: headers })).toBe('closed 4403');
  });

  it('lets in over HTTP and WebSocket', async () => {
    expect(await guarded.graphql(QUERY, {}, bearer(TOKEN))).toMatchObject({ status: 200, errors: undefined });
    expect(await connect(guarded.socketUrl, { payload: bearer(TOKEN) })).toBe('connection_ack');
  });

  it('is not asked for on loopback when none is set', async () => {
    expect((await open.graphql(QUERY)).data.metadataEndpointTemplates.length).toBeGreaterThan(0);
    expect(await connect(open.socketUrl)).toBe('connection_ack');
  });
});

describe('a page of another site', () => {
  it.each(['evil.example', 'evil.example:4000', 'localhost.evil.example', '127.0.0.1.evil.example'])(
    'gets nothing under the name %s (DNS rebinding)',
    async (host) => {
      const answer = await open.call('POST', '/graphql', { ...JSON_BODY, host }, JSON.stringify({ query: QUERY }));
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text).errors[0].extensions.code).toBe('FORBIDDEN');
      expect(await connect(open.socketUrl, { headers: { host } })).toBe('refused 403');
    },
  );

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1'])('gets nothing from the origin %s', async (origin) => {
    for (const app of [open, guarded]) {
      const headers = { ...JSON_BODY, ...bearer(TOKEN), origin };
      expect((await app.call('POST', '/graphql', headers, JSON.stringify({ query: QUERY }))).status).toBe(403);
      expect(await connect(app.socketUrl, { headers: { origin }, payload: bearer(TOKEN) })).toBe('refused 403');
    }
  });

  it('is told from a page of this server', async () => {
    for (const name of ['127.0.0.1', 'localhost']) {
      const own = { host: `${name}:${open.port}`, origin: `http://${name}:${open.port}` };
      expect((await open.graphql(QUERY, {}, own)).status).toBe(200);
      expect(await connect(open.socketUrl, { headers: own })).toBe('connection_ack');
    }
  });

  it('cannot make a browser send a query as a plain form', async () => {
    const answer = await open.call('GET', `/graphql?query=${encodeURIComponent(QUERY)}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).errors[0].extensions.code).toBe('BAD_REQUEST');
  });
});

describe("the workers' route", () => {
  const progress = {
    type: 'progress',
    runId: randomUUID(),
    endpointId: 'crm',
    unitId: 'orders',
    sinkId: null,
    phase: 'export',
    rowsRead: 1,
    rowsWritten: 0,
    rowsPerSecond: 1,
    at: '2026-01-01T00:00:00Z',
  };
  const post = (body: string, token: string | undefined) =>
    guarded.call('POST', INTERNAL_EVENTS_PATH, { ...JSON_BODY, ...(token ? bearer(token) : {}) }, body);

  it('takes events from whoever holds the internal token, and from nobody else', async () => {
    const descriptorHash = 'a'.repeat(64);
    const body = JSON.stringify({ events: [progress, { type: 'workerReady', descriptorHash }] });
    for (const token of [undefined, TOKEN, 'x'.repeat(32)]) {
      const answer = await post(body, token);
      expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
    expect(guarded.readyWorkers).toEqual([]);
    expect(await post(body, guarded.internalToken)).toMatchObject({ status: 204, text: '' });
    expect(guarded.readyWorkers).toEqual([descriptorHash]);
  });

  it.each([
    ['no event', JSON.stringify({ events: [] }), 'events'],
    ['a negative count', JSON.stringify({ events: [{ ...progress, rowsRead: -1 }] }), 'events.0.rowsRead'],
    ['an unknown event', JSON.stringify({ events: [{ type: 'gossip' }] }), 'events.0.type'],
    ['a list', '[]', 'body'],
  ])('names what is wrong with %s', async (_, body, field) => {
    const answer = await post(body, guarded.internalToken);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).error).toMatchObject({ code: 'BAD_USER_INPUT', details: { problems: [{ field }] } });
  });

  it('refuses what is not JSON', async () => {
    const answer = await post('{"events":', guarded.internalToken);
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([400, 'BAD_USER_INPUT']);
  });
});

describe('the health routes', () => {
  it('say that the process lives, and whether each store answers, without a token', async () => {
    expect(await open.call('GET', '/livez')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    const ready = await open.call('GET', '/readyz');
    expect([ready.status, JSON.parse(ready.text)]).toEqual([200, { status: 'ok', checks: { neo4j: 'ok' } }]);
  });

  it('answer 503 with the store that is down', async () => {
    expect((await guarded.call('GET', '/livez')).status).toBe(200);
    const ready = await guarded.call('GET', '/readyz');
    const checks = { neo4j: 'unavailable', temporal: 'ok' };
    expect([ready.status, JSON.parse(ready.text)]).toEqual([503, { status: 'unavailable', checks }]);
  });
});

describe('a route that does not exist', () => {
  it('is named, without its query', async () => {
    const answer = await open.call('GET', '/nowhere?token=abc');
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text).error).toEqual({
      code: 'NOT_FOUND',
      message: 'nothing is served at GET /nowhere',
      retryable: false,
    });
    expect(await connect(open.socketUrl.replace('/graphql', '/other'))).toBe('refused 404');
  });
});

describe('GraphiQL', () => {
  it('loads everything from this server, and its policy allows nothing else', async () => {
    const page = await guarded.call('GET', '/graphiql');
    expect(page.status).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*/);
    const resources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(resources.length).toBeGreaterThanOrEqual(2);
    for (const path of resources) {
      expect(path).toMatch(/^\/[^/]/);
      const resource = await guarded.call('GET', path);
      expect(resource.status).toBe(200);
      expect(resource.text.length).toBeGreaterThan(1_000);
    }
    const style = await guarded.call('GET', '/graphiql/graphiql.css');
    expect(style.text).not.toMatch(/@import|url\(\s*["']?(https?:)?\/\//);
  });
});
