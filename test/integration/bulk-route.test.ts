import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { datasetUrn } from '#graph-schema';
import { mutated, mutations } from '../support/arrow-mutations.js';
import { pyarrowStream } from '../support/arrow-streams.js';
import { ARROW, NDJSON, ndjson, postBulk } from '../support/bulk-client.js';
import { testEnvironment } from '../support/environment.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { uniquePrefix } from '../support/unique.js';

const prefix = uniquePrefix('bulk');
const NAMESPACE = 's3://lake';
const MAX_BYTES = 4 * 1024 * 1024;
const apiToken = randomBytes(24).toString('base64url');
const authorization = `Bearer ${apiToken}`;

let graph: TestGraph;
let connection: Connection;
let app: HttpApp;
beforeAll(async () => {
  graph = await openSharedGraph();
  connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  app = await openHttpApp(graph, { temporal: new Client({ connection }), apiToken, bulkMaxBytes: MAX_BYTES });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await connection.close();
  await graph[Symbol.asyncDispose]();
});

const post = (
  contentType: string,
  query: Record<string, string>,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
) => postBulk(app, query, body, { authorization, 'content-type': contentType, ...headers });

const urnOf = (name: string) => datasetUrn(NAMESPACE, `${prefix}-${name}`);
const entity = (name: string, properties: Record<string, unknown> = {}, rest: object = {}) => ({
  entity: { kind: 'Dataset', key: { namespace: NAMESPACE, name: `${prefix}-${name}` }, properties, ...rest },
});
type Columns = Parameters<typeof tableFromArrays>[0];
const arrow = (columns: Columns) => tableToIPC(tableFromArrays(columns), 'stream');
const datasets = (names: readonly string[], columns: Columns = {}) =>
  arrow({ namespace: names.map(() => NAMESPACE), name: names.map((name) => `${prefix}-${name}`), ...columns });

async function stored(name: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await graph.query('MATCH (n:Dataset {urn: $urn}) RETURN properties(n) AS held', { urn: urnOf(name) });
  return row?.held as Record<string, unknown> | undefined;
}

async function countOf(namePrefix: string): Promise<number> {
  const [row] = await graph.query(
    'MATCH (n:Dataset) WHERE n.name STARTS WITH $start AND n.placeholder IS NULL RETURN count(n) AS total',
    { start: `${prefix}-${namePrefix}` },
  );
  return Number(row?.total);
}

describe('an Arrow stream of entities', () => {
  it('of pyarrow is written in chunks, and again changes nothing', async () => {
    const stream = await pyarrowStream('datasets', `${prefix}-py`);
    const first = await post(ARROW, { kind: 'Dataset' }, stream);
    expect(first.status).toBe(200);
    expect(first.json).toMatchObject({ rows: 6_000, created: 6_000, refused: 0, transactions: 2, errors: [] });
    expect(first.json.commit).toEqual(expect.any(String));
    expect(await stored('py-7')).toMatchObject({
      format: 'parquet',
      rowCount: 7,
      attributes: '{"days":[7],"tier":1}',
    });
    const again = await post(ARROW, { kind: 'Dataset' }, gzipSync(stream), { 'content-encoding': 'gzip' });
    expect(again.json).toMatchObject({ commit: null, rows: 6_000, unchanged: 6_000, created: 0, refused: 0 });
  });

  it('keeps a property where it is null, or removes it when asked to', async () => {
    const rows = { description: ['kept', 'removed'] };
    await post(ARROW, { kind: 'Dataset' }, datasets(['null-a', 'null-b'], rows));
    const nothing = { description: [null, null] };
    const kept = await post(ARROW, { kind: 'Dataset' }, datasets(['null-a'], { description: [null] }));
    expect(kept.json).toMatchObject({ unchanged: 1 });
    const removed = await post(ARROW, { kind: 'Dataset', nulls: 'remove' }, datasets(['null-a', 'null-b'], nothing));
    expect(removed.json).toMatchObject({ updated: 2 });
    expect(await stored('null-a')).not.toHaveProperty('description');
  });

  it('has compare-and-set per row', async () => {
    const version = (value: number) => ({ if_version: Int32Array.of(value), format: [`v${value}`] });
    expect((await post(ARROW, { kind: 'Dataset' }, datasets(['cas'], version(0)))).json).toMatchObject({ created: 1 });
    const stale = await post(ARROW, { kind: 'Dataset' }, datasets(['cas'], version(0)));
    expect(stale.json).toMatchObject({ refused: 1, errors: [{ row: 1, code: 'CONFLICT', field: 'ifVersion' }] });
    expect((await post(ARROW, { kind: 'Dataset' }, datasets(['cas'], version(1)))).json).toMatchObject({ updated: 1 });
  });

  it('answers with every error as Arrow when asked to', async () => {
    const rows = datasets(['ok', 'bad', 'ok'], { rowCount: Float64Array.of(1, 1.5, 2) });
    const answer = await post(ARROW, { kind: 'Dataset' }, rows, { accept: ARROW });
    expect(answer).toMatchObject({ status: 200, contentType: ARROW });
    const table = tableFromIPC(answer.body);
    expect(Object.fromEntries(table.schema.metadata)).toMatchObject({ rows: '3', created: '1', refused: '2' });
    expect(table.toArray().map((error) => [error.row, error.code, error.field])).toEqual([
      [2n, 'BAD_USER_INPUT', 'properties.rowCount'],
      [3n, 'BAD_USER_INPUT', ''],
    ]);
  });

  it('names an item once in the whole of it, also when it is written in several chunks', async () => {
    const names = Array.from({ length: 5_001 }, (_, row) => `wide-${row % 5_000}`);
    const { json } = await post(ARROW, { kind: 'Dataset' }, datasets(names));
    expect(json).toMatchObject({ rows: 5_001, created: 5_000, refused: 1, errors: [{ row: 5_001 }] });
  });
});

describe('the example in docs/bulk.md', () => {
  it('does what it shows', async () => {
    const page = await readFile('docs/bulk.md', 'utf8');
    const program = /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const env = { ...process.env, NUCLEUS_URL: app.url, NUCLEUS_API_TOKEN: apiToken };
    const { stdout } = await promisify(execFile)('.venv/bin/python', ['-c', program], { env });
    // Others may have run it on this graph before.
    expect(stdout).toContain("'rows': 2");
    expect(stdout).toContain("'refused': 0");
  });

  it('sends lines that are taken', async () => {
    const page = await readFile('docs/bulk.md', 'utf8');
    const lines = /<<'LINES'\n([\s\S]*?)LINES/.exec(page)?.[1] ?? '';
    expect((await post(NDJSON, {}, lines)).json).toMatchObject({ rows: 3, refused: 0 });
  });
});

describe('links', () => {
  it('are rows of two urns', async () => {
    await post(NDJSON, {}, ndjson(entity('linked'), { entity: { kind: 'Tag', key: { name: `${prefix}-tag` } } }));
    const tag = `nucleus:tag:${prefix}-tag`;
    const rows = arrow({ from: [urnOf('linked'), urnOf('nobody')], to: [tag, tag] });
    const { json } = await post(ARROW, { link: 'TAGGED' }, rows);
    expect(json).toMatchObject({ rows: 2, created: 1, refused: 1, errors: [{ row: 2, code: 'NOT_FOUND' }] });
    const early = await post(ARROW, { link: 'TAGGED', allowPlaceholders: 'true' }, rows);
    expect(early.json).toMatchObject({ unchanged: 1, created: 1, refused: 0 });
  });
});

describe('NDJSON', () => {
  it('creates, links, unlinks and deletes', async () => {
    const tag = { kind: 'Tag', key: { name: `${prefix}-nd` } };
    const link = { kind: 'TAGGED', from: urnOf('nd'), to: `nucleus:tag:${prefix}-nd` };
    const made = await post(NDJSON, {}, ndjson(entity('nd'), { entity: tag }, { link }));
    expect(made.json).toMatchObject({ rows: 3, created: 3, refused: 0 });
    const gone = await post(NDJSON, {}, ndjson({ unlink: link }, { delete: { urn: urnOf('nd') } }));
    expect(gone.json).toMatchObject({ rows: 2, deleted: 2, refused: 0 });
    expect((await post(NDJSON, {}, ndjson(entity('nd')))).json).toMatchObject({ revived: 1 });
  });

  it('refuses a line that is none, by its number, and no other', async () => {
    const body = ndjson(
      entity('lines'),
      '',
      '{"entity":',
      { entity: { urn: 7 } },
      { purge: {} },
      entity('lines-2', { colour: 'red' }),
      `{"entity":{"properties":${'['.repeat(50)}${']'.repeat(50)}}}`,
      `{"entity":{"urn":"${'x'.repeat(1024 * 1024)}"}}`,
      { delete: { urn: urnOf('lines-3'), ifVersion: -1 } },
    );
    const { json } = await post(NDJSON, {}, body);
    expect(json).toMatchObject({ rows: 8, created: 1, refused: 7 });
    expect(json.errors.map(({ row, field }: { row: number; field: string }) => [row, field])).toEqual([
      [3, ''],
      [4, 'entity.urn'],
      [5, ''],
      [6, 'properties.colour'],
      [7, ''],
      [8, ''],
      [9, 'delete.ifVersion'],
    ]);
  });

  it('lists the first 1,000 errors and counts the others', async () => {
    const { json } = await post(NDJSON, {}, 'no json\n'.repeat(1_200));
    expect(json).toMatchObject({ rows: 1_200, refused: 1_200, errorsOmitted: 200, commit: null });
    expect(json.errors).toHaveLength(1_000);
  });
});

describe('an atomic request', () => {
  it('writes all or nothing', async () => {
    const refused = await post(
      NDJSON,
      { atomic: 'true' },
      ndjson(entity('atom-1'), entity('atom-2', { rowCount: 'x' })),
    );
    expect(refused.json).toMatchObject({ rows: 2, created: 0, refused: 2, commit: null, errors: [{ row: 2 }] });
    const unread = await post(NDJSON, { atomic: 'true' }, ndjson(entity('atom-1'), 'no json'));
    expect(unread.json).toMatchObject({ rows: 2, created: 0, refused: 2, commit: null, errors: [{ row: 2 }] });
    expect(await countOf('atom-')).toBe(0);
    const written = await post(NDJSON, { atomic: 'true' }, ndjson(entity('atom-1'), entity('atom-2')));
    expect(written.json).toMatchObject({ created: 2, transactions: 1 });
  });

  it('is refused when one transaction cannot hold it', async () => {
    const names = Array.from({ length: 5_001 }, (_, row) => `much-${row}`);
    const { status, json } = await post(ARROW, { kind: 'Dataset', atomic: 'true' }, datasets(names));
    expect(status).toBe(413);
    expect(json.error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { limit: 'atomic', items: 5_000 } });
    expect(await countOf('much-')).toBe(0);
  });
});

describe('an idempotency key', () => {
  it('has a request that is sent again answered as the first', async () => {
    const names = Array.from({ length: 5_500 }, (_, row) => `idem-${row}`);
    const query = { kind: 'Dataset', idempotencyKey: `${prefix}-key` };
    const first = await post(ARROW, query, datasets(names));
    expect(first.json).toMatchObject({ created: 5_500, transactions: 2, replayed: false });
    const again = await post(ARROW, query, datasets(names));
    expect(again.json).toMatchObject({ created: 5_500, replayed: true, commit: first.json.commit });
    const other = await post(ARROW, query, datasets(names.slice(1)));
    expect(other).toMatchObject({ status: 409, json: { error: { code: 'CONFLICT' } } });
  });
});

describe('a request that is refused as a whole', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['neither kind nor link', ARROW, {}, 'kind'],
    ['both kind and link', ARROW, { kind: 'Dataset', link: 'TAGGED' }, 'kind'],
    ['an unknown parameter', ARROW, { kind: 'Dataset', dryRun: 'true' }, 'dryRun'],
    ['a flag that is none', ARROW, { kind: 'Dataset', atomic: 'yes' }, 'atomic'],
    ['a kind for NDJSON', NDJSON, { kind: 'Dataset' }, 'kind'],
    ['a key with control characters', NDJSON, { idempotencyKey: 'a\u0000b' }, 'idempotencyKey'],
  ])('names the parameter: %s', async (_, contentType, query, field) => {
    const { status, json } = await post(contentType, query, datasets(['q']));
    expect(status).toBe(400);
    expect(json.error.details.problems).toMatchObject([{ field }]);
  });

  it('says which kind there is not', async () => {
    const { status, json } = await post(ARROW, { kind: 'Nothing' }, datasets(['q']));
    expect([status, json.error.code]).toEqual([404, 'NOT_FOUND']);
  });

  it('is over a bound, before and after unpacking', async () => {
    const large = Buffer.alloc(MAX_BYTES + 1, 32);
    for (const [body, headers] of [
      [large, {}],
      [gzipSync(large), { 'content-encoding': 'gzip' }],
    ] as const) {
      const { status, json } = await post(NDJSON, {}, body, headers);
      expect(status).toBe(413);
      expect(json.error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { limit: 'bytes', value: MAX_BYTES } });
    }
  });

  it('is packed in a way that is none, or unknown', async () => {
    const broken = await post(NDJSON, {}, 'no gzip', { 'content-encoding': 'gzip' });
    expect(broken).toMatchObject({ status: 400, json: { error: { code: 'BAD_USER_INPUT' } } });
    const cut = await post(NDJSON, {}, gzipSync(ndjson(entity('cut'))).subarray(0, -9), { 'content-encoding': 'gzip' });
    expect(cut).toMatchObject({ status: 400, json: { error: { code: 'BAD_USER_INPUT' } } });
    expect(await countOf('cut')).toBe(0);
    const unknown = await post(NDJSON, {}, '', { 'content-encoding': 'br' });
    expect(unknown.status).toBe(400);
  });

  it('is of another type, or from nobody', async () => {
    expect((await post('application/json', {}, '{}')).status).toBe(415);
    const nobody = await post(NDJSON, {}, ndjson(entity('nobody')), { authorization: 'Bearer wrong' });
    expect(nobody).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHENTICATED' } } });
    const foreign = await post(NDJSON, {}, '', { origin: 'https://elsewhere.example' });
    expect(foreign.status).toBe(403);
  });

  it('breaks in the middle: what was written is told, and stays', async () => {
    const names = Array.from({ length: 6_000 }, (_, row) => `half-${row}`);
    const lines = ndjson(...names.map((name) => entity(name)));
    const packed = gzipSync(lines);
    const { status, json } = await post(NDJSON, {}, packed.subarray(0, -6), { 'content-encoding': 'gzip' });
    expect(status).toBe(400);
    expect(json.error.details).toMatchObject({ written: { rows: 5_000, created: 5_000 } });
    expect(await countOf('half-')).toBe(5_000);
  });
});

describe('a damaged Arrow stream', () => {
  it('is answered with 200 or with what is wrong with it, whatever was done to it', async () => {
    // Its properties are unknown to the kind, so nothing is written.
    const sound = await pyarrowStream('types', prefix);
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        const { status } = await post(ARROW, { kind: 'Dataset' }, mutated(sound, changes));
        expect([200, 400, 413]).toContain(status);
      }),
      { numRuns: 200 },
    );
    expect((await post(NDJSON, {}, ndjson(entity('alive')))).json).toMatchObject({ created: 1 });
  });
});

describe('too many requests at one time', () => {
  it('are refused until one of the others has ended', async () => {
    const bodies = Array.from({ length: 4 }, () => new PassThrough());
    const open = bodies.map((body) => postBulk(app, {}, body, { authorization, 'content-type': NDJSON }));
    for (const [index, body] of bodies.entries()) body.write(ndjson(entity(`many-${index}`)));
    const fifth = () => post(NDJSON, {}, ndjson(entity('many-last')));
    // They have come when there is no room for another one.
    await vi.waitUntil(async () => (await fifth()).status === 429, { timeout: 20_000 });
    expect((await fifth()).json.error).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      details: { limit: 'bulkRequests', value: 4 },
    });
    for (const body of bodies) body.end();
    for (const { json } of await Promise.all(open)) expect(json).toMatchObject({ rows: 1, refused: 0 });
    expect((await fifth()).status).toBe(200);
  });
});

describe('a sender that goes away', () => {
  /** Sends the beginning of a body of unknown length, and goes once a condition holds. */
  async function leaveAfter(query: string, beginning: string, when: () => Promise<void>): Promise<void> {
    let holds: Promise<void> | undefined;
    const gone = new Promise<void>((resolve) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: app.port,
        method: 'POST',
        path: `/api/v1/bulk?${query}`,
        headers: { authorization, 'content-type': NDJSON },
      });
      outgoing.on('error', () => resolve());
      outgoing.write(beginning);
      holds = when().finally(() => outgoing.destroy());
    });
    await Promise.all([gone, holds]);
  }

  it('leaves what was committed, and nothing of the rest', async () => {
    const lines = Array.from({ length: 5_200 }, (_, row) => entity(`gone-${row}`));
    await leaveAfter('', ndjson(...lines), () =>
      vi.waitFor(async () => expect(await countOf('gone-')).toBe(5_000), { timeout: 30_000 }),
    );
    const again = await post(NDJSON, {}, ndjson(...lines));
    expect(again.json).toMatchObject({ rows: 5_200, unchanged: 5_000, created: 200 });
  });

  it('leaves nothing of an atomic request', async () => {
    const marker = entity('marker');
    await leaveAfter('atomic=true', ndjson(entity('none-1'), entity('none-2')), async () => {
      // Answered after the beginning above was sent on its way; it has not ended, so nothing of it may be there.
      await post(NDJSON, {}, ndjson(marker));
    });
    const { json } = await post(NDJSON, { atomic: 'true' }, ndjson(entity('none-1'), entity('none-2')));
    expect(json).toMatchObject({ created: 2, unchanged: 0 });
  });
});
