import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKeyValueStore } from '#kv';
import { scratchFolder } from '../support/folder.js';
import { SecondProcess } from './second-process.js';

describe('one LMDB environment in several processes', () => {
  it('shows a write of the other process at once', async () => {
    await using folder = await scratchFolder();
    await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
    await using other = await SecondProcess.open(folder.path);
    for (let version = 1; version <= 20; version += 1) {
      expect(await store.get('a')).toEqual(
        version === 1 ? undefined : { value: `v${version - 1}`, version: version - 1 },
      );
      const { result } = await other.ask({ do: 'put', key: 'a', value: `v${version}`, ifVersion: version - 1 });
      expect(result).toEqual({ ok: true, version });
      expect(await store.get('a')).toEqual({ value: `v${version}`, version });
    }
  });

  it('grows the file in one process while the other reads on', async () => {
    await using folder = await scratchFolder();
    await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
    await using other = await SecondProcess.open(folder.path);
    const megabyte = 'm'.repeat(1_000_000);
    for (let index = 0; index < 8; index += 1) await other.ask({ do: 'put', key: `k${index}`, value: megabyte });
    for (let index = 0; index < 8; index += 1) expect((await store.get(`k${index}`))?.value).toBe(megabyte);
  });

  it('has exactly one winner per version when two processes race with compare-and-set', async () => {
    await using folder = await scratchFolder();
    await using first = await SecondProcess.open(folder.path);
    await using second = await SecondProcess.open(folder.path);
    const wins = 400;
    const race = { do: 'count', key: 'counter', wins } as const;
    const [a, b] = await Promise.all([first.ask(race), second.ask(race)]);
    const versions = [...(a.versions ?? []), ...(b.versions ?? [])].sort((x, y) => x - y);
    expect(versions).toEqual(Array.from({ length: 2 * wins }, (_, index) => index + 1));
    expect(await first.ask({ do: 'get', key: 'counter' })).toEqual({ value: 2 * wins, versions: [2 * wins] });
  });

  it('loses no acknowledged write when the writer is killed', async () => {
    await using folder = await scratchFolder();
    for (let round = 1; round <= 5; round += 1) {
      await using writer = await SecondProcess.open(folder.path);
      const { result } = await writer.ask({ do: 'put', key: `round${round}`, value: 'kept' });
      await writer.killHard();
      expect(result).toEqual({ ok: true, version: 1 });
      await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
      expect(await store.get(`round${round}`)).toEqual({ value: 'kept', version: 1 });
    }
  });

  it('goes on writing after the other process was killed in the middle of its writes', async () => {
    await using folder = await scratchFolder();
    await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
    await using other = await SecondProcess.open(folder.path);
    // Refused when the process dies, which is the point: the write lock must not die with it.
    const endless = other.ask({ do: 'count', key: 'counter', wins: Number.MAX_SAFE_INTEGER }).catch(() => undefined);
    await expect.poll(async () => (await store.get('counter'))?.version ?? 0, { timeout: 10_000 }).toBeGreaterThan(20);
    await other.killHard();
    await endless;
    // A commit that was under way at the kill may come to light only now, with the first write that takes the lock over.
    await store.put('another', 1);
    const entry = await store.get('counter');
    expect(entry?.value).toBe(entry?.version);
    expect(await store.put('counter', 'mine', { ifVersion: entry?.version ?? 0 })).toMatchObject({ ok: true });
  });

  it('refuses what finds no room on the disk, keeps what was there, and goes on', async () => {
    await using folder = await scratchFolder();
    await using other = await SecondProcess.open(folder.path, { maxFileKiB: 300 });
    const failed = { name: 'KeyValueStoreError', reason: 'write-failed', code: 'STORE_UNAVAILABLE' };
    await other.ask({ do: 'put', key: 'a', value: 'before' });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const { error } = await other.ask({ do: 'put', key: 'a', value: 'x'.repeat(500_000), ifVersion: 1 });
      expect(error).toMatchObject(failed);
    }
    expect(await other.ask({ do: 'get', key: 'a' })).toEqual({ value: 'before', versions: [1] });
    const { result } = await other.ask({ do: 'put', key: 'a', value: 'after', ifVersion: 1 });
    expect(result).toEqual({ ok: true, version: 2 });
  });

  it('keeps versions of deleted keys over a restart', async () => {
    await using folder = await scratchFolder();
    {
      await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
      await store.put('a', 1);
      await store.delete('a');
    }
    await using store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
    expect(await store.get('a')).toBeUndefined();
    expect(await store.put('a', 2, { ifVersion: 0 })).toEqual({ ok: true, version: 2 });
  });

  it('says which folder cannot be opened', async () => {
    await using folder = await scratchFolder();
    const path = join(folder.path, 'a-file', 'kv');
    await writeFile(join(folder.path, 'a-file'), '');
    expect(() => createKeyValueStore({ kind: 'lmdb', path })).toThrowError(
      expect.objectContaining({ reason: 'open-failed', message: expect.stringContaining(path) }),
    );
  });
});
