import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { NucleusClient, NucleusError } from '#client';

const RETRY = { attempts: 3, baseMs: 1, maxMs: 2 };
const EMPTY = { entities: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } };

interface Request {
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  readonly body: string;
}

/** A server whose answers the test dictates, as a proxy or a broken server would give them. */
async function scriptedServer(answer: (request: Request, count: number, response: ServerResponse) => void) {
  const requests: Request[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = { headers: incoming.headers, url: incoming.url ?? '', body: Buffer.concat(chunks).toString() };
    requests.push(request);
    answer(request, requests.length, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

it('a read is repeated over an outage', async () => {
  await using server = await scriptedServer((_, count, response) => {
    if (count === 1) response.writeHead(503).end('<html>no upstream</html>');
    else if (count === 2) response.destroy();
    else json(response, 200, { data: { node: null } });
  });
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  expect(await client.node('nucleus:tag:x')).toBeNull();
  expect(server.requests).toHaveLength(3);
});

it('a write is repeated under one idempotency key', async () => {
  const payload = { entities: [], links: [], commit: 'c', transactions: 1, replayed: true, userErrors: [] };
  await using server = await scriptedServer((_, count, response) => {
    if (count === 1) response.destroy();
    else json(response, 200, { data: { upsert: payload } });
  });
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  expect(await client.upsert({ entities: [] })).toEqual(payload);
  const keys = server.requests.map(({ body }) => JSON.parse(body).variables.input.idempotencyKey);
  expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0]]);
});

it("a mutation of the caller's own is not repeated", async () => {
  await using server = await scriptedServer((_, __, response) => response.destroy());
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  const failing = client.graphql('mutation { startIngestion(input: { endpointId: "a", unitId: "b" }) { runId } }');
  await expect(failing).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(server.requests).toHaveLength(1);
});

it('what will not pass is told at once', async () => {
  await using server = await scriptedServer((_, __, response) =>
    json(response, 401, { error: { code: 'UNAUTHENTICATED', message: 'a token is needed', retryable: false } }),
  );
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  await expect(client.node('x')).rejects.toMatchObject({ name: 'UnauthenticatedError', code: 'UNAUTHENTICATED' });
  expect(server.requests).toHaveLength(1);
});

it.each([
  [200, '<html>welcome</html>', {}, 'BAD_RESPONSE'],
  [200, '{"data":null}', {}, 'BAD_RESPONSE'],
  [302, '', { location: 'https://elsewhere.example/' }, 'BAD_RESPONSE'],
  [401, 'no', {}, 'UNAUTHENTICATED'],
  [403, 'no', {}, 'FORBIDDEN'],
  [413, 'no', {}, 'PAYLOAD_TOO_LARGE'],
  [429, 'no', {}, 'RATE_LIMITED'],
  [502, 'no', {}, 'UNREACHABLE'],
])('an answer that is not of Nucleus, %i %s, is a typed error', async (status, body, headers, code) => {
  await using server = await scriptedServer((_, __, response) => response.writeHead(status, headers).end(body));
  const client = new NucleusClient({ url: server.url, retry: { attempts: 1 } });
  await expect(client.node('x')).rejects.toMatchObject({ code });
});

it('waits as long as Retry-After says', async () => {
  await using server = await scriptedServer((_, count, response) => {
    if (count === 1) json(response, 429, { error: { code: 'RATE_LIMITED', message: 'slow' } }, { 'retry-after': '1' });
    else json(response, 200, { data: { node: null } });
  });
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  await expect(client.node('x', { deadlineMs: 300 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(server.requests).toHaveLength(1);
});

it('ends at the deadline, and at once when the caller aborts', async () => {
  await using server = await scriptedServer(() => undefined);
  const client = new NucleusClient({ url: server.url, deadlineMs: 50 });
  await expect(client.node('x')).rejects.toMatchObject({
    code: 'TIMEOUT',
    retryable: true,
    message: expect.stringContaining('50 ms'),
  });
  const abort = new AbortController();
  const waiting = client.node('x', { signal: abort.signal, deadlineMs: 60_000 });
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(client.node('x', { signal: abort.signal })).rejects.toThrow('enough');
});

it('a deadline that passes between attempts tells why they failed', async () => {
  let url = '';
  {
    await using closed = await scriptedServer(() => undefined);
    url = closed.url;
  }
  const client = new NucleusClient({ url, retry: { attempts: 99, baseMs: 1e6, maxMs: 1e6 } });
  await expect(client.node('x', { deadlineMs: 200 })).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

it('asks for the present token each time, and shows it in no error', async () => {
  await using server = await scriptedServer((_, __, response) => json(response, 200, { data: EMPTY }));
  let renewed = 0;
  const client = new NucleusClient({
    url: server.url,
    token: async () => {
      renewed += 1;
      return `secret-${renewed}`;
    },
  });
  await client.entities().all();
  await client.entities().all();
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret-1', 'Bearer secret-2']);

  const unreachable = new NucleusClient({ url: 'http://127.0.0.1:1', token: 'secret-3', retry: { attempts: 1 } });
  const error = await unreachable.node('x').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(NucleusError);
  const { inspect } = await import('node:util');
  expect(inspect(error, { depth: 9 })).not.toContain('secret-3');
});

it('keeps the path of a proxy, and takes no address that is none', async () => {
  await using server = await scriptedServer((_, __, response) => json(response, 200, { data: EMPTY }));
  await new NucleusClient({ url: `${server.url}/data/nucleus?x=1` }).entities().all();
  expect(server.requests[0]?.url).toBe('/data/nucleus/graphql');
  for (const url of ['nonsense', 'ftp://host', 'http://user:pass@host']) {
    expect(() => new NucleusClient({ url }), url).toThrow(TypeError);
  }
});

it('reads see what the client has written, unless they are told otherwise', async () => {
  const payload = { entities: [], links: [], commit: 'c-7', transactions: 1, replayed: false, userErrors: [] };
  await using server = await scriptedServer(({ body }, _, response) =>
    json(response, 200, { data: body.includes('mutation') ? { upsert: payload } : { node: null } }),
  );
  const client = new NucleusClient({ url: server.url });
  await client.node('before');
  await client.upsert({ entities: [] });
  await client.node('after');
  await client.node('own', { readAfter: 'c-3' });
  await client.node('any', { readAfter: null });
  const sent = server.requests.map(({ headers }) => headers['nucleus-read-after']);
  expect(sent).toEqual([undefined, undefined, 'c-7', 'c-3', undefined]);
});

it('a refused write throws with what became of it, or returns that when asked to', async () => {
  const stale = { code: 'CONFLICT', field: 'input.entities.0.ifVersion', message: 'is stale', elementIndex: 0 };
  const payload = { entities: [], links: [], commit: null, transactions: 0, replayed: false, userErrors: [stale] };
  await using server = await scriptedServer((_, __, response) => json(response, 200, { data: { delete: payload } }));
  const client = new NucleusClient({ url: server.url });
  await expect(client.delete({ entities: [] })).rejects.toMatchObject({ code: 'CONFLICT', result: payload });
  expect(await client.delete({ entities: [] }, { onRefusal: 'return' })).toEqual(payload);
});

it('fetches lists page by page, only as far as they are read', async () => {
  const tag = (name: string) => ({ urn: `nucleus:tag:${name}` });
  await using server = await scriptedServer(({ body }, _, response) => {
    const { after } = JSON.parse(body).variables;
    const page = after === null ? ['a', 'b'] : ['c'];
    const pageInfo = { hasNextPage: after === null, endCursor: after === null ? 'p1' : 'p2' };
    json(response, 200, { data: { entities: { nodes: page.map(tag), pageInfo } } });
  });
  const client = new NucleusClient({ url: server.url });
  expect(await client.entities({ kind: 'Tag' }).all()).toEqual(['a', 'b', 'c'].map(tag));
  expect(server.requests.map(({ body }) => JSON.parse(body).variables)).toEqual([
    { kind: 'Tag', after: null },
    { kind: 'Tag', after: 'p1' },
  ]);
  for await (const entity of client.entities()) {
    expect(entity).toEqual(tag('a'));
    break;
  }
  expect(server.requests).toHaveLength(3);
});

const RESULT = { commit: 'c', rows: 2, created: 2, updated: 0, unchanged: 0, revived: 0, deleted: 0, refused: 0 };

it('uploads objects as NDJSON, with progress, and repeats what can be read again', async () => {
  await using server = await scriptedServer((_, count, response) => {
    if (count === 1) response.writeHead(503).end();
    else json(response, 200, { ...RESULT, transactions: 1, replayed: false, errors: [] });
  });
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  const items = [{ entity: { urn: 'nucleus:tag:a' } }, { delete: { urn: 'nucleus:tag:b' } }];
  const progress: number[] = [];
  const result = await client.bulk(items, { format: 'ndjson', atomic: true }, { onProgress: (n) => progress.push(n) });
  expect(result).toMatchObject({ rows: 2, errorsOmitted: 0 });
  const [first, second] = server.requests;
  expect(second?.body).toBe(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  expect(second?.headers['content-type']).toBe('application/x-ndjson');
  expect(second?.url).toMatch(/^\/api\/v1\/bulk\?atomic=true&idempotencyKey=[0-9a-f-]{36}$/);
  expect(second?.url).toBe(first?.url);
  expect(progress.at(-1)).toBe(Buffer.byteLength(second?.body ?? ''));
});

it('an upload that can be read once is not repeated, and tells when its own source fails', async () => {
  await using server = await scriptedServer((_, __, response) => response.writeHead(503).end());
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  async function* lines() {
    yield '{"entity":{}}\n';
  }
  await expect(client.bulk(lines(), { format: 'ndjson' })).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(server.requests).toHaveLength(1);

  async function* torn() {
    yield new Uint8Array(10);
    throw new Error('the disk is gone');
  }
  await expect(client.bulk(torn, { format: 'arrow', kind: 'Tag' })).rejects.toThrow('the disk is gone');
});

it('a read after many writes at once says in short headers what it has to see', async () => {
  await using server = await scriptedServer(({ body }, count, response) => {
    const upsert = { entities: [], links: [], commit: `commit-${count}`, replayed: false, userErrors: [] };
    const changeLog = { head: `head-${count}`, oldest: 'old' };
    json(response, 200, { data: body.includes('mutation') ? { upsert } : { node: null, changeLog } });
  });
  const client = new NucleusClient({ url: server.url, retry: RETRY });
  await Promise.all(Array.from({ length: 300 }, () => client.upsert({ entities: [] })));
  await Promise.all([client.node('nucleus:tag:x'), client.node('nucleus:tag:y')]);
  const waitedFor = server.requests.slice(300).map(({ headers }) => String(headers['nucleus-read-after']).split(', '));
  expect(Math.max(...waitedFor.map((tokens) => tokens.length))).toBeLessThanOrEqual(50);
  // Each commit was waited for before the first answer was read.
  expect(new Set(waitedFor.flat().filter((token) => token.startsWith('commit-'))).size).toBe(300);
});
