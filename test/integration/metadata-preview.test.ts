import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, fieldUrn, tagUrn } from '#graph-schema';
import { type PreviewMetadataInput, previewWorkflowId } from '#ingestion/contracts';
import { defineIngestionUnit } from '../../server/commands/define-ingestion-unit.js';
import { registerMetadataEndpoint } from '../../server/commands/register-metadata-endpoint.js';
import { startWorkers } from '../support/data-worker.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { type IngestionRoom, openIngestionRoom } from '../support/ingestion-room.js';
import { callNucleusCli } from '../support/nucleus-cli.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';
import { historyText } from '../support/workflow-history.js';

const PREFIX = uniquePrefix('preview');
const SOURCE = `${PREFIX}-source`;
const SINK = `${PREFIX}-lake`;
const UNIT = 'orders';
const OBJECT = { topic: 'orders' };
const NAMESPACE = 'kafka://db:9092';
const PASSWORD = `canary-${PREFIX}`;
/** Stands in the rows, and must be found nowhere else. */
const CANARY = `row-${PREFIX}`;

const COLUMNS = [
  { name: 'id', type: 'bigint', masked: false },
  { name: 'Email', type: 'text', masked: false },
  { name: 'note', type: 'text', masked: false },
];
const ROWS = [
  ['1', 'a@b.c', CANARY],
  ['2', null, null],
];

let graph: TestGraph;
let temporal: TestNamespace;
let room: IngestionRoom;
let workers: Awaited<ReturnType<typeof startWorkers>>;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('preview')]);
  room = await openIngestionRoom(graph, temporal.client);
  workers = await startWorkers(temporal, room.control);
  app = await openHttpApp(graph, { temporal: temporal.client });
  const { commands } = room;
  const config = { bootstrapServers: ['db:9092'], user: 'reader', password: PASSWORD };
  await registerMetadataEndpoint(commands, { id: SOURCE, templateId: 'kafka', config });
  await registerMetadataEndpoint(commands, { id: SINK, templateId: 'parquet_files', config: { directory: '/lake' } });
  const sinks = [{ endpointId: SINK, writeMode: 'append' as const }];
  await defineIngestionUnit(commands, { endpointId: SOURCE, unitId: UNIT, object: OBJECT, mode: 'full', sinks });
});
afterAll(async () => {
  for (const part of [app, workers, room, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

interface Left {
  readonly table?: string;
  readonly content?: string;
  readonly sha256?: string;
  readonly path?: string;
}

/** Makes the data worker leave rows, and answers what it was asked and where they lay. */
function leaving({ table = `${PREFIX}.plain`, ...change }: Left = {}) {
  const asked: (PreviewMetadataInput & { file: string })[] = [];
  workers.operations.previewMetadata = async (input) => {
    const path = change.path ?? `${input.requestId}/preview.json`;
    const file = join(app.metadataRoot, path);
    asked.push({ ...input, file });
    const dataset = { namespace: NAMESPACE, name: table, version: null, fields: [] };
    const content = change.content ?? JSON.stringify({ dataset, columns: COLUMNS, rows: ROWS, truncated: true });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return { path, sha256: change.sha256 ?? createHash('sha256').update(content).digest('hex') };
  };
  return asked;
}

function preview(change: object = {}) {
  return app.graphql(
    `mutation($input: PreviewMetadataInput!) { previewMetadata(input: $input) {
      preview { datasetUrn namespace name columns { name type masked } rows truncated }
      error { code category field message } userErrors { code field message }
    } }`,
    { input: { endpointId: SOURCE, object: OBJECT, ...change } },
  );
}

const shown = async (change: object = {}) => (await preview(change)).data.previewMetadata;

describe('previewMetadata', () => {
  it('shows rows that are kept nowhere', async () => {
    const [asked, table] = [leaving(), `${PREFIX}.plain`];
    expect(await shown({ limit: 2, maskedColumns: ['secret'] })).toEqual({
      preview: {
        ...{ datasetUrn: datasetUrn(NAMESPACE, table), namespace: NAMESPACE, name: table },
        ...{ columns: COLUMNS, rows: ROWS, truncated: true },
      },
      error: null,
      userErrors: [],
    });
    const [{ file, requestId, ...request } = { file: '', requestId: '' }] = asked;
    expect(request).toEqual({
      source: { endpointId: SOURCE, templateId: 'kafka', config: expect.anything() },
      ...{ object: OBJECT, limit: 2, maskedColumns: ['secret'] },
    });
    expect(existsSync(dirname(file))).toBe(false);
    const history = await historyText(temporal.client, previewWorkflowId(requestId));
    expect(history).toContain('preview.json');
    const rows = await graph.query('MATCH (n) RETURN properties(n) AS p');
    for (const text of [history, app.log(), JSON.stringify(rows)]) {
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(PASSWORD);
    }
  });

  it('reads the object of a unit', async () => {
    const asked = leaving();
    expect(await shown({ object: null, unitId: UNIT })).toMatchObject({ preview: { truncated: true } });
    expect(asked[0]?.object).toEqual(OBJECT);
  });

  it('masks columns that are tagged as sensitive, whatever their case, and all of a data set that is', async () => {
    const [columns, whole] = [`${PREFIX}.columns`, `${PREFIX}.whole`];
    const tag = (from: string) => ({ kind: 'TAGGED' as const, from, to: tagUrn('sensitive') });
    const unmarked = {
      kind: 'TAGGED' as const,
      from: fieldUrn(NAMESPACE, columns, 'id'),
      to: tagUrn(`${PREFIX}-blue`),
    };
    const field = (name: string) => fieldUrn(NAMESPACE, columns, name);
    await graph.store.write(
      {
        entities: [
          { kind: 'Dataset', urn: datasetUrn(NAMESPACE, columns) },
          { kind: 'Dataset', urn: datasetUrn(NAMESPACE, whole) },
          ...['id', 'email', 'note', 'note.part'].map((name) => ({ kind: 'Field' as const, urn: field(name) })),
        ],
        edges: [
          ...['id', 'email', 'note.part'].map((name) => ({
            ...{ kind: 'HAS_FIELD' as const, from: datasetUrn(NAMESPACE, columns), to: field(name) },
          })),
          ...[tag(field('email')), tag(field('note.part')), tag(datasetUrn(NAMESPACE, whole)), unmarked],
        ],
      },
      { actor: 'test' },
    );
    leaving({ table: columns });
    const partly = (await shown()).preview;
    expect(partly.columns.map((column: { masked: boolean }) => column.masked)).toEqual([false, true, true]);
    expect(partly.rows).toEqual([
      ['1', '***', '***'],
      ['2', '***', '***'],
    ]);
    leaving({ table: whole });
    expect((await shown()).preview.rows.flat()).toEqual(Array(6).fill('***'));
    // A tag that is taken away masks nothing any more.
    await graph.store.write({ edgeDeletions: [tag(datasetUrn(NAMESPACE, whole))] }, { actor: 'test' });
    expect((await shown()).preview.rows).toEqual(ROWS);
  });

  it('tells why the source could not be read', async () => {
    const error = { code: 'OBJECT_NOT_FOUND', category: 'config', field: 'object.table', message: 'no such table' };
    workers.operations.previewMetadata = async () => {
      throw ApplicationFailure.create({
        type: error.code,
        nonRetryable: true,
        details: [{ ...error, retryable: false }],
      });
    };
    expect(await shown()).toEqual({ preview: null, error, userErrors: [] });
  });

  it.each<[string, Left, string]>([
    ['another content than was told', { sha256: 'a'.repeat(64) }, 'BAD_USER_INPUT'],
    ['no JSON', { content: CANARY }, 'BAD_USER_INPUT'],
    ['no preview', { content: JSON.stringify({ rows: [[CANARY]] }) }, 'BAD_USER_INPUT'],
    ['more than anybody looks at', { content: ' '.repeat(17 * 1024 * 1024) }, 'PAYLOAD_TOO_LARGE'],
    ['the file of another request', { path: 'elsewhere/preview.json' }, 'FORBIDDEN'],
  ])('does not show %s, and removes it all the same', async (_, left, code) => {
    const asked = leaving(left);
    const { errors } = await preview();
    expect(errors?.[0]?.extensions).toMatchObject({ code });
    expect(JSON.stringify(errors)).not.toContain(CANARY);
    expect(app.log()).not.toContain(CANARY);
    expect(existsSync(join(app.metadataRoot, asked[0]?.requestId ?? 'none'))).toBe(false);
  });

  it.each<[string, object, string]>([
    ['an endpoint that there is not', { endpointId: 'nobody' }, 'NOT_FOUND input.endpointId'],
    ['an endpoint that has no rows to show', { endpointId: SINK }, 'BAD_USER_INPUT input.endpointId'],
    ['an object by other rules', { object: { topik: 'x' } }, 'BAD_USER_INPUT input.object.topic'],
    ['a unit that there is not', { object: null, unitId: 'none' }, 'NOT_FOUND input.unitId'],
    ['both an object and a unit', { unitId: UNIT }, 'BAD_USER_INPUT input.object'],
    ['no rows', { limit: 0 }, 'BAD_USER_INPUT input.limit'],
    ['too many rows', { limit: 1001 }, 'BAD_USER_INPUT input.limit'],
  ])('refuses %s', async (_, change, fault) => {
    const payload = await shown(change);
    expect(payload.preview).toBeNull();
    const faults = payload.userErrors.map(({ code, field }: Record<string, string>) => `${code} ${field}`);
    expect(faults).toContain(fault);
  });
});

describe('nucleus endpoint preview', () => {
  const nucleus = (...args: string[]) =>
    callNucleusCli(['endpoint', 'preview', ...args], { env: { NUCLEUS_URL: app.url } });

  it('prints rows as a table', async () => {
    const asked = leaving();
    expect(
      await nucleus(SOURCE, '--object', JSON.stringify(OBJECT), '--limit', '2', '--mask', 'a', '--mask', 'b'),
    ).toEqual({
      code: 0,
      stdout: [
        `${NAMESPACE} ${PREFIX}.plain: 2 rows, and there is more`,
        `id  Email  note`,
        `1   a@b.c  ${CANARY}`,
        `2   NULL   NULL`,
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(asked[0]).toMatchObject({ limit: 2, maskedColumns: ['a', 'b'] });
    const json = await nucleus(SOURCE, '--unit', UNIT, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ rows: ROWS });
  });

  it('fails as the source does', async () => {
    const failure = { code: 'SOURCE_UNREACHABLE', category: 'source', field: null, message: 'nobody there' };
    workers.operations.previewMetadata = async () => {
      throw ApplicationFailure.create({ nonRetryable: true, details: [{ ...failure, retryable: true }] });
    };
    expect(await nucleus(SOURCE, '--unit', UNIT)).toEqual({
      ...{ code: 1, stdout: '', stderr: 'nucleus: nobody there [SOURCE_UNREACHABLE]\n' },
    });
  });

  it.each([[[]], [['x']], [['x', '--object', '[]']], [['x', '--object', '{}', '--unit', 'u']]])(
    'takes %j as bad usage',
    async (args) => {
      expect(await nucleus(...args)).toMatchObject({ code: 2, stdout: '' });
    },
  );
});
