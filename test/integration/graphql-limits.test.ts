import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { DEFAULT_LIMITS } from '../support/default-limits.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

const LIMITS = { ...DEFAULT_LIMITS, bodyBytes: 50_000, socketOperations: 3 };
const JSON_BODY = { 'content-type': 'application/json' };

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
/** Has no time for anything. */
let hurried: HttpApp;

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('limits')]);
  app = await openHttpApp(graph, { temporal: temporal.client, limits: LIMITS });
  hurried = await openHttpApp(graph, { temporal: temporal.client, limits: { timeoutMs: 1 } });
});
afterAll(async () => {
  for (const part of [hurried, app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

interface Refusal {
  readonly code: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Everything that a socket is sent until it is closed or has an answer to the last of the operations. */
async function exchange(queries: readonly string[]): Promise<{ id?: string; type: string; payload?: unknown }[]> {
  const socket = new WebSocket(app.socketUrl, 'graphql-transport-ws');
  const messages: { id?: string; type: string; payload?: unknown }[] = [];
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  await new Promise<void>((resolve) => {
    socket.on('close', (code) => {
      messages.push({ type: `closed ${code}` });
      resolve();
    });
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      messages.push(message);
      if (message.id === String(queries.length - 1)) resolve();
    });
    for (const [index, query] of queries.entries()) {
      socket.send(JSON.stringify({ id: String(index), type: 'subscribe', payload: { query } }));
    }
  });
  socket.close();
  return messages;
}

/** The refusal of one operation in both transports, which must be the same. */
async function refusalOf(query: string): Promise<{ status: number; refusal: Refusal }> {
  const { status, errors } = await app.graphql(query);
  const [answer] = await exchange([query]);
  const overHttp = errors?.map(({ message, extensions: { requestId, ...extensions } }) => ({ message, extensions }));
  expect(answer).toMatchObject({ id: '0', type: 'error', payload: overHttp });
  const { retryable, ...refusal } = (overHttp?.[0]?.extensions ?? {}) as unknown as Refusal & { retryable?: boolean };
  expect(retryable).toBe(false);
  return { status, refusal };
}

const tooComplex = (limit: keyof typeof LIMITS.operation, actual: unknown = expect.any(Number)) => ({
  status: 400,
  refusal: { code: 'QUERY_TOO_COMPLEX', details: { limit, value: LIMITS.operation[limit], actual } },
});

describe('an operation over a limit', () => {
  it.each([
    ['depth', `{ node(urn: "a") { ${'links(first: 1) { nodes { node { '.repeat(5)} urn ${'} } } '.repeat(5)} } }`, 17],
    ['cost', '{ entities(first: 500) { nodes { links(first: 500) { nodes { kind } } } } }', 500_501 + 500],
    ['aliases', `{ changeLog { ${Array.from({ length: 201 }, (_, index) => `a${index}: head`).join(' ')} } }`, 201],
    ['rootFields', `{ ${'changeLog { head } '.repeat(51)} }`, 51],
    ['directives', `{ __typename ${'@skip(if: false) '.repeat(101)} }`, 101],
    ['filterTerms', `{ datasets(limit: 1, sort: [${'{ urn: ASC } '.repeat(51)}]) { urn } }`, 51],
    ['nesting', `{ node(urn: ${'['.repeat(101)}`, 101],
    ['tokens', `{ ${'a '.repeat(9_999)} }`, 10_001],
  ] as const)('is refused with the limit and its value: %s', async (limit, query, actual) => {
    expect(await refusalOf(query)).toEqual(tooComplex(limit, actual));
  });

  it('is refused by GET as well', async () => {
    const query = encodeURIComponent(`{ ${'changeLog { head } '.repeat(51)} }`);
    const { status, text } = await app.call('GET', `/graphql?query=${query}`, { 'apollo-require-preflight': '1' });
    expect(status).toBe(400);
    expect(JSON.parse(text).errors[0].extensions).toMatchObject({
      code: 'QUERY_TOO_COMPLEX',
      details: { limit: 'rootFields' },
    });
  });

  it('cannot be smuggled in by the hash of a stored document', async () => {
    const persistedQuery = { version: 1, sha256Hash: 'a'.repeat(64) };
    const body = JSON.stringify({ extensions: { persistedQuery } });
    const { text } = await app.call('POST', '/graphql', JSON_BODY, body);
    expect(JSON.parse(text).errors[0].extensions.code).toBe('PERSISTED_QUERY_NOT_SUPPORTED');
  });
});

describe('a body', () => {
  it('is refused when it has too many bytes', async () => {
    const body = JSON.stringify({ query: '{ __typename }', variables: { a: 'x'.repeat(LIMITS.bodyBytes) } });
    const { status, text } = await app.call('POST', '/graphql', JSON_BODY, body);
    expect(status).toBe(413);
    expect(JSON.parse(text).errors[0].extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      retryable: false,
      details: { limit: 'bodyBytes', value: LIMITS.bodyBytes },
    });
  });

  it('closes the socket when it is a message with too many bytes', async () => {
    expect(await exchange([`{ __typename } # ${'x'.repeat(LIMITS.bodyBytes)}`])).toEqual([{ type: 'closed 1009' }]);
  });

  it.each([
    ['several operations at once', [{ query: '{ __typename }' }, { query: '{ __typename }' }]],
    ['no operation', {}],
    ['a query that is no text', { query: 7 }],
    ['a parsed document', { query: { kind: 'Document', definitions: [] } }],
    ['variables that are a list', { query: '{ __typename }', variables: [1] }],
    ['a name that is no text', { query: '{ __typename }', operationName: 7 }],
    ['extensions that are no object', { query: '{ __typename }', extensions: 7 }],
    ['null', null],
    ['a number', 7],
    ['a text', 'query'],
  ])('is refused when it holds %s', async (_, body) => {
    const { status, text } = await app.call('POST', '/graphql', JSON_BODY, JSON.stringify(body));
    expect(status).toBe(400);
    expect(JSON.parse(text).errors[0].extensions.code).toMatch(/^(BAD_REQUEST|BAD_USER_INPUT)$/);
  });

  it.each([
    ['no JSON', '{"query":', 400],
    ['nothing', '', 400],
    ['a poisoned prototype', '{"query":"{ __typename }","__proto__":{"a":1}}', 400],
    [
      'JSON as deep as it is long',
      `{"query":"{ __typename }","variables":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`,
      400,
    ],
  ])('is refused when it is %s', async (_, body, expected) => {
    const { status, text } = await app.call('POST', '/graphql', JSON_BODY, body);
    expect(status).toBe(expected);
    expect(JSON.parse(text).errors[0].extensions.code).toMatch(/^(BAD_USER_INPUT|QUERY_TOO_COMPLEX)$/);
  });

  it('is refused when it is of another type', async () => {
    const { status, text } = await app.call('POST', '/graphql', { 'content-type': 'application/xml' }, '<query/>');
    expect(status).toBe(415);
    expect(JSON.parse(text).errors[0].extensions.code).toBe('BAD_USER_INPUT');
  });
});

describe('a document that GraphQL itself trips over', () => {
  it.each([
    'subscription { ingestionRunEvents @include(if: $missing) { kind } }',
    'subscription { ...F } fragment F on Subscription { ingestionRunEvents @skip { kind } }',
    'query A { __typename } subscription B { ingestionRunEvents @skip(if: $missing) { kind } }',
  ])('is invalid, not a fault of the server: %s', async (query) => {
    expect(await refusalOf(query)).toEqual({ status: 400, refusal: { code: 'GRAPHQL_VALIDATION_FAILED' } });
  });
});

describe('a socket', () => {
  it('may have no more operations open at once than the limit', async () => {
    const messages = await exchange(
      Array(LIMITS.socketOperations + 1).fill('subscription { ingestionRunEvents { kind } }'),
    );
    const refused = messages.find((message) => message.type === 'error');
    expect(refused).toMatchObject({
      id: String(LIMITS.socketOperations),
      payload: [
        {
          extensions: {
            code: 'RATE_LIMITED',
            retryable: true,
            details: { limit: 'socketOperations', value: 3, actual: 4 },
          },
        },
      ],
    });
  });
});

describe('a subscription', () => {
  it('is refused over HTTP', async () => {
    const { status, errors } = await app.graphql('subscription { ingestionRunEvents { kind } }');
    expect([status, errors?.map((error) => error.extensions.code)]).toEqual([400, ['BAD_REQUEST']]);
  });
});

describe('a query that takes too long', () => {
  it('is answered with TIMEOUT', async () => {
    const { status, errors } = await hurried.graphql('{ entityKinds { name } entities(first: 500) { nodes { urn } } }');
    expect(status).toBe(504);
    expect(errors).toMatchObject([
      { extensions: { code: 'TIMEOUT', retryable: true, details: { limit: 'timeoutMs', value: 1 } } },
    ]);
  });
});
