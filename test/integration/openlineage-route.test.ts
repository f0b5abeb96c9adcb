import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS } from '#config';
import { AppError } from '#errors';
import { openEventInbox } from '#kv';
import { testEnvironment } from '../support/environment.js';
import { readAll, textsOf } from '../support/event-inbox.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { type LineageAnswer, postLineage } from '../support/lineage-client.js';
import { openTestIntake, type TestIntake } from '../support/lineage-intake.js';
import { datasetEvent, jobEvent, runEvent } from '../support/openlineage-events.js';
import { nameOf, RecordingLineageWriter } from '../support/recording-lineage-writer.js';

const MAX_BYTES = 200_000;
const LONG_MS = 30_000;
const SHORT_MS = 50;
const apiToken = randomBytes(24).toString('base64url');
const authorization = `Bearer ${apiToken}`;

/** A server with an inbox of its own. */
class LineageServer implements AsyncDisposable {
  readonly writer: RecordingLineageWriter;
  readonly lineage: TestIntake;
  readonly app: HttpApp;

  private constructor(lineage: TestIntake, app: HttpApp, writer: RecordingLineageWriter) {
    this.lineage = lineage;
    this.app = app;
    this.writer = writer;
  }

  static async open(waitMs: number): Promise<LineageServer> {
    const writer = new RecordingLineageWriter();
    const lineage = await openTestIntake(writer);
    const app = await openHttpApp(graph, {
      temporal: new Client({ connection }),
      apiToken,
      openLineage: lineage,
      lineage: { maxBytes: MAX_BYTES, waitMs },
    });
    return new LineageServer(lineage, app, writer);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<LineageAnswer> {
    return postLineage(this.app, path, body, { authorization, ...headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    await this.lineage[Symbol.asyncDispose]();
  }
}

let graph: TestGraph;
let connection: Connection;
/** Does not drain before it is told to. */
let taking: LineageServer;
let draining: LineageServer;
beforeAll(async () => {
  graph = await openSharedGraph();
  connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  taking = await LineageServer.open(SHORT_MS);
  draining = await LineageServer.open(LONG_MS);
  draining.lineage.drainer.start();
});
afterAll(async () => {
  await taking[Symbol.asyncDispose]();
  await draining[Symbol.asyncDispose]();
  await connection.close();
  await graph[Symbol.asyncDispose]();
});

const named = (name: string, members: object = {}) => runEvent({ job: { namespace: 'shop', name }, ...members });

/** What the inbox has taken in the meantime. */
async function takenBy(requests: () => Promise<void>): Promise<unknown[]> {
  const { inbox } = taking.lineage;
  const before = await inbox.head();
  await requests();
  return textsOf((await readAll(inbox)).slice(before)).map((text) => JSON.parse(text));
}

describe('POST /api/v1/lineage', () => {
  it('takes Run, Job and Dataset events', async () => {
    const events = [runEvent(), jobEvent(), datasetEvent()];
    const taken = await takenBy(async () => {
      for (const event of events) {
        const { status, json, token } = await taking.post('', event);
        expect(status).toBe(201);
        expect(json).toEqual({ token: expect.any(String) });
        expect(token).toBe(json.token);
      }
    });
    expect(taken).toEqual(events);
  });

  it('takes bodies as clients send them: with a charset, gzipped, with parameters of their own', async () => {
    const packed = gzipSync(JSON.stringify(named('packed')));
    const quoted = { 'content-type': 'application/json;charset="UTF-8"', 'content-encoding': 'gzip' };
    const taken = await takenBy(async () => {
      const answers = [
        await taking.post('', named('plain'), { 'content-type': 'application/json; charset=utf-8' }),
        await taking.post('', packed, quoted),
        await taking.post('?other=parameter', named('parameter')),
      ];
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    });
    expect(taken).toEqual([named('plain'), named('packed'), named('parameter')]);
  });

  it('refuses what is no event, with the status and the path of each fault', async () => {
    const bodies: [unknown, number, string][] = [
      ['{"job":', 400, 'event'],
      ['', 400, 'event'],
      [[runEvent()], 400, 'event'],
      [runEvent({ job: 'copy' }), 400, 'job'],
      [runEvent({ eventTime: undefined }), 400, 'eventTime'],
      [runEvent({ outputs: [{ namespace: 'file', name: '' }] }), 422, 'outputs[0].name'],
      [runEvent({ eventType: 'DONE' }), 422, 'eventType'],
    ];
    const taken = await takenBy(async () => {
      for (const [body, status, field] of bodies) {
        expect(await taking.post('', body)).toMatchObject({
          status,
          token: undefined,
          json: { error: { code: 'BAD_USER_INPUT', retryable: false, details: { problems: [{ field }] } } },
        });
      }
    });
    expect(taken).toEqual([]);
  });

  it('refuses callers without the token, and other types, charsets, packings and waits', async () => {
    const taken = await takenBy(async () => {
      const answers = [
        await taking.post('', runEvent(), { authorization: 'Bearer wrong' }),
        await taking.post('', runEvent(), { 'content-type': 'text/plain' }),
        await taking.post('', runEvent(), { 'content-type': 'application/json; charset=latin1' }),
        await taking.post('', runEvent(), { 'content-encoding': 'br' }),
        await taking.post('', runEvent(), { 'content-encoding': 'gzip' }),
        await taking.post('?wait=forever', runEvent()),
      ];
      expect(answers.map(({ status, json }) => `${status} ${json.error.code}`)).toEqual([
        '401 UNAUTHENTICATED',
        '415 BAD_USER_INPUT',
        '400 BAD_USER_INPUT',
        '400 BAD_USER_INPUT',
        '400 BAD_USER_INPUT',
        '400 BAD_USER_INPUT',
      ]);
    });
    expect(taken).toEqual([]);
  });

  it('bounds bodies, packed and unpacked, and takes the next', async () => {
    const large = JSON.stringify(named('x'.repeat(MAX_BYTES)));
    const answers = [
      await taking.post('', large),
      await taking.post('', gzipSync(large), { 'content-encoding': 'gzip' }),
      await taking.post('/batch', `[${large}]`),
    ];
    for (const { status, json } of answers) {
      expect(status).toBe(413);
      expect(json.error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { limit: 'bytes', value: MAX_BYTES } });
      expect(json.error.message).toContain('LINEAGE_MAX_BYTES');
    }
    expect(await taking.post('', runEvent())).toMatchObject({ status: 201 });
  });

  it('takes many at once, each with a token of its own', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `job${index}`);
    const taken = await takenBy(async () => {
      const answers = await Promise.all(names.map((name) => taking.post('', named(name))));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
      expect(new Set(answers.map(({ json }) => json.token)).size).toBe(names.length);
    });
    expect(taken).toHaveLength(names.length);
    expect(taken).toEqual(expect.arrayContaining(names.map((name) => named(name))));
  });

  it('answers with 507 when the disk has no room, and takes events again when it has', async () => {
    taking.lineage.fillDisk();
    expect(await taking.post('', runEvent())).toMatchObject({
      status: 507,
      json: { error: { code: 'STORAGE_FULL', retryable: true } },
    });
    expect(await taking.post('/batch', [runEvent()])).toMatchObject({ status: 507 });
    taking.lineage.makeRoom();
    expect(await taking.post('', runEvent())).toMatchObject({ status: 201 });
  });
});

describe('POST /api/v1/lineage/batch', () => {
  it('answers with 204 when all are taken, and none is enough', async () => {
    const taken = await takenBy(async () => {
      const answer = await taking.post('/batch', [named('a'), named('b')]);
      expect(answer).toEqual({ status: 204, token: expect.any(String), json: undefined });
      expect(await taking.post('/batch', [])).toEqual({ status: 204, token: undefined, json: undefined });
    });
    expect(taken).toEqual([named('a'), named('b')]);
  });

  it('takes the good ones and gives the reason for each of the others', async () => {
    const taken = await takenBy(async () => {
      const { status, json, token } = await taking.post('/batch', [named(''), named('a'), 'text', named('b')]);
      expect(status).toBe(200);
      expect(json).toEqual({
        status: 'partial_success',
        summary: { received: 4, successful: 2, failed: 2, retriable: 0, non_retriable: 2 },
        failed_events: [
          {
            index: 0,
            reason: 'job.name must not be empty',
            retriable: false,
            problems: [{ code: 'BAD_USER_INPUT', field: 'job.name', message: 'must not be empty' }],
          },
          { index: 2, reason: expect.stringContaining('JSON object'), retriable: false, problems: [expect.anything()] },
        ],
        token,
      });
    });
    expect(taken).toEqual([named('a'), named('b')]);
  });

  it('refuses what is no list', async () => {
    expect(await taking.post('/batch', runEvent())).toMatchObject({
      status: 400,
      json: { error: { code: 'BAD_USER_INPUT', details: { problems: [{ field: 'event' }] } } },
    });
  });
});

describe('?wait=committed', () => {
  it('answers when the graph has the events, with the token of the commit', async () => {
    const one = await draining.post('?wait=committed', named('a'));
    expect(one).toMatchObject({ status: 201, json: { token: one.token, commit: expect.any(String) } });
    const batch = await draining.post('/batch?wait=committed', [named('b'), named('')]);
    expect(batch).toMatchObject({
      status: 200,
      json: { status: 'partial_success', failed_events: [{ index: 1 }], commit: expect.any(String) },
    });
    const all = await draining.post('/batch?wait=committed', [named('c')]);
    expect(all).toMatchObject({ status: 200, json: { status: 'success', failed_events: [], token: all.token } });
    expect(draining.writer.applied).toEqual(['a', 'b', 'c']);
  });

  it('says which events cannot be applied', async () => {
    draining.writer.before = (events) => {
      if (events.some((event) => nameOf(event) === 'bad')) throw new AppError('BAD_USER_INPUT', 'has too many edges');
    };
    const one = await draining.post('?wait=committed', named('bad'));
    expect(one).toMatchObject({ status: 422, json: { error: { code: 'BAD_USER_INPUT' } } });
    expect(one.json.error.message).toMatch(/has too many edges; .* dead letter \d+$/);
    const batch = await draining.post('/batch?wait=committed', [named('good'), named(''), named('bad')]);
    expect(batch.json).toMatchObject({
      summary: { received: 3, successful: 1, failed: 2 },
      failed_events: [{ index: 1 }, { index: 2, reason: expect.stringContaining('dead letter') }],
    });
  });

  it('answers with 504 and the token when that takes too long, and the event is applied later', async () => {
    const answer = await taking.post('?wait=committed', named('late'));
    expect(answer).toMatchObject({
      status: 504,
      json: { error: { code: 'TIMEOUT', details: { limit: 'waitMs', value: SHORT_MS, token: answer.token } } },
    });
    taking.lineage.drainer.start();
    const head = await taking.lineage.inbox.head();
    await taking.lineage.drainer.arrival({ first: head, last: head }, LONG_MS);
    expect(taking.writer.applied.at(-1)).toBe('late');
  });
});

describe('what was answered with 201', () => {
  it('is there when the inbox is opened again', async () => {
    await using intake = await openTestIntake(new RecordingLineageWriter());
    const app = await openHttpApp(graph, { temporal: new Client({ connection }), openLineage: intake });
    expect(await postLineage(app, '', named('kept'))).toMatchObject({ status: 201 });
    await app[Symbol.asyncDispose]();
    await intake.close();
    await using inbox = openEventInbox({ kind: 'lmdb', path: intake.path, now: () => new Date() });
    expect(textsOf(await readAll(inbox)).map((text) => JSON.parse(text))).toEqual([named('kept')]);
  });
});

describe('docs/openlineage.md', () => {
  it('shows requests that are taken', async () => {
    const page = await readFile('docs/openlineage.md', 'utf8');
    const sent = (name: string) => new RegExp(`<<'${name}'\\n([\\s\\S]*?)\\n${name}\\n`).exec(page)?.[1] ?? '';
    expect(await draining.post('?wait=committed', sent('EVENT'))).toMatchObject({ status: 201 });
    expect(await draining.post('/batch', sent('BATCH'))).toMatchObject({ status: 204 });
    expect(page).toContain('http://127.0.0.1:4000/api/v1/lineage/batch ');
  });

  it('shows a query that is answered', async () => {
    const page = await readFile('docs/openlineage.md', 'utf8');
    const query = /```graphql\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const answer = await draining.app.graphql(query, {}, { authorization });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({ lineageInbox: { head: expect.any(Number) } });
  });

  it('names the limits that the settings have', async () => {
    const page = await readFile('docs/openlineage.md', 'utf8');
    expect(page).toContain(`(${Number(SETTINGS.LINEAGE_MAX_BYTES.default) / 1024 ** 2} MiB)`);
    expect(page).toContain(`(${Number(SETTINGS.LINEAGE_WAIT_MS.default) / 1_000} seconds)`);
  });
});
