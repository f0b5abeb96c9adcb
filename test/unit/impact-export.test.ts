import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import type { LineageNode, LineageReader } from '#graph-store';
import { BearerAuth } from '../../server/http/bearer-auth.js';
import { replyWithErrors } from '../../server/http/error-reply.js';
import { lineOf, openingOf } from '../../server/lineage/impact-lines.js';
import { readImpactQuery } from '../../server/lineage/impact-query.js';
import { impactRoute } from '../../server/lineage/impact-route.js';

type Asked = Parameters<LineageReader['everything']>[0];

const URN = 'nucleus:dataset:a:b';
const node = (name: string): LineageNode => ({
  ...{ urn: URN, kind: 'Dataset', labels: ['Dataset'], name, depth: 1, placeholder: false, deletedAt: null },
});

describe('a line of CSV', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['two, with a comma', '"two, with a comma"'],
    ['a "quoted" one', '"a ""quoted"" one"'],
    ['over\r\ntwo lines', '"over\r\ntwo lines"'],
    ["it's", "it's"],
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-5', "'-5"],
    ['@sum(a1)', "'@sum(a1)"],
    ['=cmd|"/c calc"!a1', `"'=cmd|""/c calc""!a1"`],
    ['\t=1', "'\t=1"],
    ['\r=1', `"'\r=1"`],
    [' =1', "' =1"],
    ['\uff1d1', "'\uff1d1"],
    ['a=1', 'a=1'],
  ])('holds %j as %j', (name, value) => {
    expect(lineOf('csv', node(name))).toBe(`${URN},Dataset,${value},1,false,\r\n`);
  });

  it('stands under the names of its columns', () => {
    expect(openingOf('csv')).toBe('urn,kind,name,depth,placeholder,deletedAt\r\n');
    expect(lineOf('csv', { ...node('x'), deletedAt: '2024-01-01T00:00:00.000000000Z', placeholder: true })).toBe(
      `${URN},Dataset,x,1,true,2024-01-01T00:00:00.000000000Z\r\n`,
    );
  });
});

describe('the query of an export', () => {
  const fieldsOf = (query: unknown) => {
    try {
      readImpactQuery(query);
      return [];
    } catch (error) {
      return (error as { problems: { field: string }[] }).problems.map(({ field }) => field);
    }
  };

  it('is lower or upper case, and has lists by repetition', () => {
    expect(
      readImpactQuery({ urn: URN, direction: 'upstream', depth: '4', kind: 'Job', namespace: ['a', 'b'] }),
    ).toEqual({
      urn: URN,
      direction: 'UPSTREAM',
      depth: 4,
      level: 'DATASET',
      format: 'csv',
      kind: ['Job'],
      namespace: ['a', 'b'],
    });
  });

  it('says all that is wrong with it', () => {
    expect(fieldsOf({})).toEqual(['urn']);
    expect(fieldsOf({ urn: [URN, URN], direction: 'left', depth: '-1', format: 'xml', limit: '5' })).toEqual(
      expect.arrayContaining(['urn', 'direction', 'depth', 'format', 'limit']),
    );
  });
});

describe('an export', () => {
  let app: FastifyInstance;
  let calls: Asked[];
  let pieces: (options: Asked) => AsyncGenerator<readonly LineageNode[]>;
  beforeEach(async () => {
    calls = [];
    app = Fastify({ forceCloseConnections: true });
    replyWithErrors(app, pino({ level: 'silent' }));
    const lineage: Pick<LineageReader, 'everything'> = {
      everything: (options) => {
        calls.push(options);
        return pieces(options);
      },
    };
    impactRoute(app, {
      lineage: lineage as LineageReader,
      written: { log: { head: async () => 0 } },
      auth: new BearerAuth(undefined),
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(() => app.close());

  async function ask(): Promise<IncomingMessage> {
    const { port } = app.server.address() as AddressInfo;
    const request = get({ host: '127.0.0.1', port, path: `/api/v1/lineage/impact?urn=${encodeURIComponent(URN)}` });
    const [answer] = await once(request, 'response');
    return answer;
  }

  const gone = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));

  it('that fails on the way breaks off, so that nobody takes it for whole', async () => {
    pieces = async function* () {
      yield [node('first')];
      throw new AppError('STORE_UNAVAILABLE', 'Neo4j is gone');
    };
    const answer = await ask();
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await expect(once(answer, 'end')).rejects.toThrow('aborted');
  });

  it('that fails before its first line is an error', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it has anything
    pieces = async function* () {
      throw new AppError('TIMEOUT', 'too large');
    };
    const answer = await ask();
    answer.resume();
    expect(answer.statusCode).toBe(504);
  });

  it('reads no further than its reader, and ends with it', async () => {
    let made = 0;
    pieces = async function* () {
      // A fault must not fill the memory.
      while (made < 300) {
        made += 1;
        yield Array.from({ length: 2_000 }, () => node('x'.repeat(500)));
      }
    };
    const answer = await ask();
    await once(answer, 'readable');
    // Turns enough to make all the pieces, of 1 MB each, where only the buffers of the socket are to be filled.
    for (let turn = 0; turn < 1_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(100);
    const ended = gone(calls[0]?.signal);
    answer.destroy();
    await ended;
  });

  it('gives up what it waits for when its reader leaves, and then lets others in', async () => {
    const begun: (() => void)[] = [];
    pieces = async function* ({ signal }) {
      yield [node('first')];
      for (const begin of begun.splice(0)) begin();
      await gone(signal);
      signal?.throwIfAborted();
    };
    const open: IncomingMessage[] = [];
    for (let index = 0; index < 4; index += 1) {
      const waits = new Promise<void>((resolve) => begun.push(resolve));
      open.push(await ask());
      await waits;
    }
    const refused = await ask();
    refused.resume();
    expect(refused.statusCode).toBe(429);
    const ended = calls.map(({ signal }) => gone(signal));
    for (const answer of open) answer.destroy();
    await Promise.all(ended);
    expect((await ask()).statusCode).toBe(200);
  });
});
