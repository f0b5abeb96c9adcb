import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BulkItem, NucleusClient, UnauthenticatedError } from '#client';
import { scratchFolder } from '../support/folder.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { openTcpProxy } from '../support/tcp-proxy.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('upload');
const MAX_BYTES = 2 * 1024 * 1024;

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
let client: NucleusClient;
let folder: AsyncDisposable & { path: string };

beforeAll(async () => {
  [graph, temporal, folder] = await Promise.all([openSharedGraph(), openOwnNamespace('upload'), scratchFolder()]);
  app = await openHttpApp(graph, { temporal: temporal.client, bulkMaxBytes: MAX_BYTES });
  client = new NucleusClient({ url: app.url });
});
afterAll(async () => {
  await client.close();
  await app[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const tag = (name: string) => `nucleus:tag:${PREFIX}-${name}`;
const namesOf = (name: string, count: number) => Array.from({ length: count }, (_, row) => `${PREFIX}-${name}-${row}`);
const arrowTags = (names: readonly string[], colours?: readonly string[]) =>
  tableToIPC(tableFromArrays({ name: [...names], ...(colours && { color: [...colours] }) }), 'stream');

async function* items(name: string, count: number): AsyncGenerator<BulkItem> {
  for (const full of namesOf(name, count)) yield { entity: { urn: `nucleus:tag:${full}` } };
}

describe('an upload', () => {
  it('writes objects from an iterable, and the client reads them at once', async () => {
    const result = await client.bulk(items('objects', 6_000), { format: 'ndjson' });
    expect(result).toMatchObject({ rows: 6_000, created: 6_000, refused: 0, errors: [], commit: expect.any(String) });
    expect(await client.node(tag('objects-5999'))).not.toBeNull();
    const again = await client.bulk(() => items('objects', 6_000), { format: 'ndjson' });
    expect(again).toMatchObject({ unchanged: 6_000, created: 0, commit: null });
  });

  it('writes an Arrow stream, and lists the rows that were refused', async () => {
    const names = namesOf('arrow', 3);
    expect(await client.bulk(arrowTags(names), { format: 'arrow', kind: 'Tag' })).toMatchObject({ created: 3 });
    const doubled = arrowTags([...names, names[0] ?? '']);
    const result = await client.bulk(doubled, { format: 'arrow', kind: 'Tag' });
    expect(result).toMatchObject({ rows: 4, unchanged: 3, refused: 1, errors: [{ row: 4, code: 'BAD_USER_INPUT' }] });
  });

  it('happens once, though the connection breaks before the answer', async () => {
    await using proxy = await openTcpProxy(app.port);
    let cuts = 1;
    const unlucky = new NucleusClient({
      url: proxy.url,
      retry: { baseMs: 1, maxMs: 5 },
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (cuts === 0) return response;
        cuts -= 1;
        proxy.cut();
        throw new TypeError('the answer is lost');
      },
    });
    const result = await unlucky.bulk(() => items('lost', 10), { format: 'ndjson' });
    expect(result).toMatchObject({ created: 10, replayed: true });
    expect(await client.changes(tag('lost-0')).all()).toHaveLength(1);
  });

  it('that is refused as a whole is a typed error, however much is still to be sent', async () => {
    await expect(client.bulk('', { format: 'arrow', kind: 'Nonsense' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.bulk('junk', { format: 'arrow', kind: 'Tag' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    let isClosed = false;
    async function* endless(): AsyncGenerator<BulkItem> {
      try {
        for (;;) yield { entity: { name: 'x'.repeat(100_000) } };
      } finally {
        isClosed = true;
      }
    }
    const tooLarge = client.bulk(endless(), { format: 'ndjson' });
    await expect(tooLarge).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { value: MAX_BYTES } });
    await expect.poll(() => isClosed).toBe(true);
    await using guarded = await openHttpApp(graph, {
      temporal: temporal.client,
      apiToken: 'an-api-token-of-24-characters',
    });
    const stranger = new NucleusClient({ url: guarded.url });
    await expect(stranger.bulk(items('denied', 20_000), { format: 'ndjson' })).rejects.toBeInstanceOf(
      UnauthenticatedError,
    );
  });

  it('ends when its caller has had enough', async () => {
    const abort = new AbortController();
    async function* slow(): AsyncGenerator<BulkItem> {
      yield* items('aborted', 1_000);
      abort.abort(new Error('enough'));
      yield* items('aborted', 1_000);
    }
    await expect(client.bulk(slow(), { format: 'ndjson' }, { signal: abort.signal })).rejects.toThrow('enough');
  });
});

describe('nucleus upsert of many rows', () => {
  const nucleus = (args: readonly string[], options: { input?: Uint8Array; terminal?: boolean } = {}) =>
    callNucleusCli(['upsert', ...args], { env: { NUCLEUS_URL: app.url }, ...options });

  it('sends an NDJSON file, and shows a person how far it is', async () => {
    const lines = namesOf('file', 2_000).map((name) => JSON.stringify({ entity: { urn: `nucleus:tag:${name}` } }));
    const path = join(folder.path, 'rows.ndjson');
    writeFileSync(path, `${lines.join('\n')}\n`);
    const first = await nucleus([path], { terminal: true });
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^2000 rows: 2000 created; \d+ transactions\n.*commit \S+/);
    expect(first.stderr).toMatch(/MiB sent, 100 %/);
    const again = await nucleus([path, '--json']);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(again.stdout)).toMatchObject({ rows: 2_000, unchanged: 2_000, commit: null });
  });

  it('sends Arrow from standard input, and tells which rows were refused', async () => {
    const [name = ''] = namesOf('stdin', 1);
    const args = ['--kind', 'Tag', '--format', 'arrow', '-'];
    expect(await nucleus(args, { input: arrowTags([name], ['#fff']) })).toMatchObject({ code: 0 });
    expect(await client.node(`nucleus:tag:${name}`)).toMatchObject({ properties: { color: '#fff' } });
    const refused = await nucleus(args, { input: arrowTags([name, name]) });
    expect(refused).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^REFUSED row 2: .* \[BAD_USER_INPUT\]\n/),
    });
    expect(await nucleus(['--kind', 'Nonsense', '--format', 'arrow', '-'], { input: arrowTags([name]) })).toMatchObject(
      {
        code: 3,
      },
    );
  });
});
