import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ProcessRecord, RECORD_SUFFIX, reapRecorded } from '#stack';
import { identifyProcess } from '../../scripts/setup/process-identity.mjs';
import { writeRecord } from '../../scripts/stack/process-record.js';
import { scratchFolder } from '../support/folder.js';
import { eventually, isAlive, startOwnedChild } from './owned-child.js';

const WITH_GRANDCHILD = 'sleep 600 & echo $!; wait';
const DEAF_TO_SIGTERM = `trap '' TERM; ${WITH_GRANDCHILD}`;

it('ends a child and its grandchild whose parent was killed', async () => {
  await using folder = await scratchFolder();
  const { record, grandchild, killOwner } = await startOwnedChild(folder.path, 'orphan', WITH_GRANDCHILD);
  await killOwner();
  expect([record.pid, grandchild].map(isAlive)).toEqual([true, true]);

  expect(await reapRecorded(folder.path)).toEqual(['orphan']);
  expect([record.pid, grandchild].map(isAlive)).toEqual([false, false]);
  expect(recordsIn(folder.path)).toEqual([]);
});

it('kills a child that does not end on its stop signal', async () => {
  await using folder = await scratchFolder();
  const { record, grandchild, killOwner } = await startOwnedChild(folder.path, 'deaf', DEAF_TO_SIGTERM);
  await killOwner();

  expect(await reapRecorded(folder.path)).toEqual(['deaf']);
  expect([record.pid, grandchild].map(isAlive)).toEqual([false, false]);
});

it('ends a grandchild whose own parent is gone already', async () => {
  await using folder = await scratchFolder();
  const { record, grandchild, killOwner } = await startOwnedChild(folder.path, 'headless', WITH_GRANDCHILD);
  await killOwner();
  process.kill(record.pid, 'SIGKILL');
  await eventually(() => !isAlive(record.pid));
  expect(isAlive(grandchild)).toBe(true);

  expect(await reapRecorded(folder.path)).toEqual(['headless']);
  expect(isAlive(grandchild)).toBe(false);
});

it('ends the named ones first, in the given order', async () => {
  await using folder = await scratchFolder();
  const children = await Promise.all(
    ['database', 'server', 'worker'].map((name) => startOwnedChild(folder.path, name, WITH_GRANDCHILD)),
  );
  for (const { killOwner } of children) await killOwner();
  const livingAtStopOf: Record<string, string[]> = {};
  await reapRecorded(folder.path, ['worker', 'server'], (name) => {
    livingAtStopOf[name] = children.filter(({ record }) => isAlive(record.pid)).map(({ record }) => record.name);
  });
  expect(livingAtStopOf).toEqual({
    worker: ['database', 'server', 'worker'],
    server: ['database', 'server'],
    database: ['database'],
  });
});

it('leaves a process alone that has got the pid of a recorded one', async () => {
  await using folder = await scratchFolder();
  const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  try {
    const pid = Number(stranger.pid);
    const [boot = '', ticks] = (identifyProcess(pid)?.startedAt ?? '').split(':');
    record(folder.path, { ...template('earlier'), pid, startedAt: `${boot}:${Number(ticks) - 1}` });

    expect(await reapRecorded(folder.path)).toEqual([]);
    expect(isAlive(pid)).toBe(true);
    expect(recordsIn(folder.path)).toEqual([]);
  } finally {
    stranger.kill('SIGKILL');
  }
});

it.each([
  ['an empty file', ''],
  ['a torn file', '{"pid":12'],
  ['no record at all', 'null'],
  ['a record without its fields', '{}'],
  ['group 0, which is our own', JSON.stringify({ ...template('zero'), pid: 0 })],
  ['group 1, which means everyone', JSON.stringify({ ...template('one'), ...identifyProcess(1) })],
])('passes over %s and ends the others', async (_, content) => {
  await using folder = await scratchFolder();
  writeFileSync(join(folder.path, `broken${RECORD_SUFFIX}`), content);
  const { record, killOwner } = await startOwnedChild(folder.path, 'other', WITH_GRANDCHILD);
  await killOwner();

  expect(await reapRecorded(folder.path)).toEqual(['other']);
  expect(isAlive(record.pid)).toBe(false);
  expect(recordsIn(folder.path)).toEqual([]);
});

it('finds nothing in a folder that does not exist', async () => {
  await using folder = await scratchFolder();
  const absent = join(folder.path, 'absent');
  expect(await reapRecorded(absent)).toEqual([]);
  expect(existsSync(absent)).toBe(false);
});

function template(name: string): ProcessRecord {
  return { name, pid: -1, startedAt: '', stopSignal: 'SIGTERM', stopTimeoutMs: 1_000 };
}

function record(folder: string, content: ProcessRecord): void {
  writeRecord(join(folder, `${content.name}${RECORD_SUFFIX}`), content);
}

function recordsIn(folder: string): string[] {
  return readdirSync(folder).filter((entry) => entry.endsWith(RECORD_SUFFIX));
}
