import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Field, List, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { datasetUrn, formatUrn } from '#graph-schema';
import { type RunMetadataFile, runMetadataFileSchema } from '#ingestion/contracts';
import { applyRunMetadata } from '../../ingestion/activities/apply-run-metadata.js';
import type { ControlDependencies } from '../../ingestion/activities/control-dependencies.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type IngestionRoom, openIngestionRoom } from '../support/ingestion-room.js';
import { leaveRunMetadata } from '../support/run-metadata-files.js';
import { uniquePrefix } from '../support/unique.js';

const prefix = uniquePrefix('run-metadata');
const NAMESPACE = 'postgres://db';

let graph: TestGraph;
let room: IngestionRoom;
beforeAll(async () => {
  graph = await openSharedGraph();
  room = await openIngestionRoom(graph);
});
afterAll(async () => {
  await room[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const PAGES = { contents: 'entities', kind: 'Page' } as const;
const DATASETS = { contents: 'entities', kind: 'Dataset' } as const;
/** A file of one data set. */
const leave = (path: string, name: string) =>
  leaveRunMetadata(room.metadataRoot, path, DATASETS, { namespace: [NAMESPACE], name: [`${prefix}-${name}`] });

describe('applyRunMetadata', () => {
  const apply = (files: RunMetadataFile[], runId = randomUUID()) =>
    room.control.applyRunMetadata({ runId, endpointId: 'e', unitId: 'u', sinkId: 's', files });

  it('does nothing a second time, and answers the same', async () => {
    const file = await leave(`${prefix}/twice.arrows`, 'twice');
    const runId = randomUUID();
    const first = await apply([file], runId);
    const urn = datasetUrn(NAMESPACE, `${prefix}-twice`);
    await graph.store.write({ deletions: [{ urn }] }, { actor: 'test' });
    expect(await apply([file], runId)).toEqual(first);
    const [row] = await graph.query('MATCH (n:Dataset {urn: $urn}) RETURN n.deletedAt IS NULL AS alive', { urn });
    expect(row).toEqual({ alive: false });
  });

  it('takes what the data plane has written', async () => {
    const [runId, name] = [randomUUID(), `${prefix}-python`];
    const { stdout } = await promisify(execFile)('.venv/bin/python', [
      'test/support/leave_run_metadata.py',
      room.metadataRoot,
      runId,
      NAMESPACE,
      name,
    ]);
    const file = runMetadataFileSchema.parse(JSON.parse(stdout));
    expect(await apply([file], runId)).toEqual({ files: 1, failed: 0, rows: 1, refused: 0, problems: [] });
    const [row] = await graph.query('MATCH (n:Dataset {urn: $urn}) RETURN n.format AS format', {
      urn: datasetUrn(NAMESPACE, name),
    });
    expect(row).toEqual({ format: 'parquet' });
  });

  it.each<[string, (file: RunMetadataFile) => Promise<RunMetadataFile>, string]>([
    ['does not exist', async (file) => ({ ...file, path: `${file.path}.gone` }), 'cannot be read (ENOENT)'],
    ['leads outside by a link', linkOutside, 'lies outside METADATA_ROOT'],
    ['is another than the one that was left', async (file) => ({ ...file, sha256: 'a'.repeat(64) }), 'is not the one'],
    [
      'holds other rows than were counted',
      async (file) => ({ ...file, rows: 5 }),
      'holds 1 rows where the run has counted 5',
    ],
    ['is of a kind that there is not', async (file) => ({ ...file, kind: 'Nothing' }), 'no kind Nothing is defined'],
    ['is no Arrow', async () => leaveText(`${prefix}/text.arrows`), 'does not begin where a message begins'],
  ])('tells of a file that %s, and applies the others', async (name, change, message) => {
    const path = `${prefix}/${name.replaceAll(' ', '-')}`;
    const faulty = await change(await leave(`${path}.arrows`, name));
    const other = await leave(`${path}-other.arrows`, `${name}-other`);
    expect(await apply([faulty, other])).toEqual({
      files: 2,
      failed: 1,
      rows: 1,
      refused: 0,
      problems: [{ path: faulty.path, row: null, message: expect.stringContaining(message) }],
    });
  });

  it('replaces the links of a set, also those to what nobody has told of yet, and empties a set', async () => {
    const [page, old, unknown, next] = ['page', 'old', 'unknown', 'next'].map((id) =>
      formatUrn('page', [NAMESPACE, `${prefix}-${id}`]),
    ) as [string, string, string, string];
    const pages = await leaveRunMetadata(room.metadataRoot, `${prefix}/pages.arrows`, PAGES, {
      urn: [page, old, next],
    });
    const parents = async (...to: string[]) => {
      const path = `${prefix}/set-${randomUUID()}.arrows`;
      const file = await leaveRunMetadata(
        room.metadataRoot,
        path,
        { contents: 'linkSets', kind: 'CHILD_OF' },
        columns(to),
      );
      expect(await apply([file])).toMatchObject({ failed: 0, refused: 0, problems: [] });
      return (await graph.knowledge.reader.linkEnds([page], 'CHILD_OF')).get(page) ?? [];
    };
    const columns = (to: string[]) =>
      new Table({
        from: vectorFromArray([page], new Utf8()),
        to: vectorFromArray([to], new List(new Field('item', new Utf8()))),
      });
    await apply([pages]);
    expect(await parents(old, unknown)).toEqual([old, unknown].sort());
    expect(await parents(next)).toEqual([next]);
    const { version } = (await graph.knowledge.reader.nodes([page]))[0] ?? {};
    expect(await parents(next)).toEqual([next]);
    expect((await graph.knowledge.reader.nodes([page]))[0]).toMatchObject({ version });
    expect(await parents()).toEqual([]);
  });

  it('deletes what is gone, twice as well as once, and nothing of another kind', async () => {
    const urn = formatUrn('page', [NAMESPACE, `${prefix}-gone`]);
    const dataset = datasetUrn(NAMESPACE, `${prefix}-kept`);
    const gone = { contents: 'deletions', kind: 'Page' } as const;
    await apply([
      await leaveRunMetadata(room.metadataRoot, `${prefix}/there.arrows`, PAGES, { urn: [urn] }),
      await leave(`${prefix}/kept.arrows`, 'kept'),
    ]);
    const file = await leaveRunMetadata(room.metadataRoot, `${prefix}/gone.arrows`, gone, { urn: [urn, dataset] });
    for (let times = 0; times < 2; times += 1) {
      expect(await apply([file])).toMatchObject({
        failed: 0,
        refused: 1,
        problems: [{ row: 2, path: file.path, message: 'urn must be the urn of a Page' }],
      });
    }
    expect(await graph.knowledge.reader.nodes([urn, dataset])).toEqual([
      null,
      expect.objectContaining({ urn: dataset }),
    ]);
  });

  it('repeats what an outage has broken off, and tells of a fault that would come again', async () => {
    const file = await leave(`${prefix}/faults.arrows`, 'faults');
    const applyWith = (fault: Error) => {
      const knowledge = { ...graph.knowledge, writer: { write: () => Promise.reject(fault) } };
      const dependencies = { knowledge, metadataRoot: room.metadataRoot } as unknown as ControlDependencies;
      const run = { runId: randomUUID(), endpointId: 'e', unitId: 'u', sinkId: 's' };
      return applyRunMetadata(dependencies, { ...run, files: [file] });
    };
    const outages = [new AppError('STORE_UNAVAILABLE', 'gone'), Object.assign(new Error('EIO'), { syscall: 'read' })];
    for (const outage of outages) await expect(applyWith(outage)).rejects.toBe(outage);
    expect(await applyWith(new TypeError('hunter2'))).toMatchObject({
      failed: 1,
      problems: [{ row: null, message: 'the file cannot be applied: a fault in the control worker (TypeError)' }],
    });
  });

  it.each(['/etc/passwd', '../up.arrows', 'a/../../up.arrows', 'a//b', '.hidden', ''])(
    'refuses the path %s before it looks',
    async (path) => {
      const file = { path, ...DATASETS, rows: 0, sha256: 'a'.repeat(64) };
      await expect(apply([file])).rejects.toMatchObject({ type: 'CONTRACT_BROKEN', nonRetryable: true });
    },
  );

  async function linkOutside(file: RunMetadataFile): Promise<RunMetadataFile> {
    const path = `${prefix}/outside`;
    await symlink('/etc', join(room.metadataRoot, path));
    return { ...file, path: `${path}/hostname` };
  }

  async function leaveText(path: string): Promise<RunMetadataFile> {
    const content = 'no Arrow at all';
    await writeFile(join(room.metadataRoot, path), content);
    return { path, ...DATASETS, rows: 0, sha256: createHash('sha256').update(content).digest('hex') };
  }
});
