import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { datasetUrn } from '#graph-schema';
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
