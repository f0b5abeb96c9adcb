import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEventInbox } from '#kv';
import { payloadsOf, readAll, textsOf } from '../support/event-inbox.js';
import { checkQueue, killAtRandom } from '../support/event-inbox-kills.js';
import { InboxProcess } from '../support/event-inbox-process.js';
import { scratchFolder } from '../support/folder.js';

const now = () => new Date();
const REASON = { code: 'A', path: 'job', message: 'b' };
const DISK_FULL = { name: 'EventInboxError', reason: 'disk-full', code: 'STORAGE_FULL' };
const openInbox = (path: string) => openEventInbox({ kind: 'lmdb', path, now });

describe('one LMDB inbox in several processes', () => {
  it('keeps every acknowledged append, once and in order, when the process is killed at any moment', async () => {
    expect((await killAtRandom({ rounds: 4 })).length).toBeGreaterThanOrEqual(4);
  });

  it('takes appends of the others after one was killed in the midst of its own', async () => {
    await using folder = await scratchFolder();
    await using inbox = openInbox(folder.path);
    const opening = [InboxProcess.open(folder.path), InboxProcess.open(folder.path)] as const;
    await using survivor = await opening[0];
    await using victim = await opening[1];
    const surviving = survivor.ask({ do: 'flood', writer: 'survivor', connections: 4, batches: 200 });
    await victim.floodAndKill('victim', randomInt(1, 100));
    expect(await surviving).toEqual({});
    const head = await checkQueue(inbox, [...survivor.acknowledged, ...victim.acknowledged]);
    expect(survivor.acknowledged).toHaveLength(200);
    expect(await inbox.append(payloadsOf(['a']), { receivedAt: now() })).toEqual({ first: head + 1, last: head + 1 });
  });

  it('gives two processes that append at once positions of their own', async () => {
    await using folder = await scratchFolder();
    const opening = [InboxProcess.open(folder.path), InboxProcess.open(folder.path)] as const;
    await using first = await opening[0];
    await using second = await opening[1];
    const flood = (writer: string) => ({ do: 'flood', writer, connections: 8, batches: 250 }) as const;
    await Promise.all([first.ask(flood('first')), second.ask(flood('second'))]);
    await using inbox = openInbox(folder.path);
    const acknowledged = [...first.acknowledged, ...second.acknowledged];
    expect(acknowledged).toHaveLength(500);
    expect(await checkQueue(inbox, acknowledged)).toBe(acknowledged.flatMap(({ texts }) => texts).length);
  });

  it('shows an append of the other process at once', async () => {
    await using folder = await scratchFolder();
    await using inbox = openInbox(folder.path);
    await using other = await InboxProcess.open(folder.path);
    for (let position = 1; position <= 50; position += 1) {
      expect(await inbox.head()).toBe(position - 1);
      expect(await other.ask({ do: 'append', texts: [`${position}`] })).toMatchObject({ result: { first: position } });
      expect(textsOf(await inbox.read({ after: position - 1, limit: 1, maxBytes: 9 }))).toEqual([`${position}`]);
    }
  });

  it('tells a waiting process of an append of the other', async () => {
    await using folder = await scratchFolder();
    await using inbox = openInbox(folder.path);
    await using other = await InboxProcess.open(folder.path);
    const waiting = inbox.waitForAppend({ after: 0, pollMs: 5 });
    expect(await other.ask({ do: 'append', texts: ['a', 'b'] })).toEqual({ result: { first: 1, last: 2 } });
    await waiting;
    expect(textsOf(await readAll(inbox))).toEqual(['a', 'b']);
  });

  it('gives the lease to one process, and to the next one when the holder has died', async () => {
    await using folder = await scratchFolder();
    let nowMs = Date.now();
    await using inbox = openEventInbox({ kind: 'lmdb', path: folder.path, now: () => new Date(nowMs) });
    await using other = await InboxProcess.open(folder.path);
    expect(await other.ask({ do: 'acquire', ttlMs: 3_600_000 })).toMatchObject({ result: { ok: true, fence: 1 } });
    await other.killHard();
    expect(await inbox.lease.acquire({ holder: 'here', ttlMs: 1000 })).toMatchObject({ ok: false });
    nowMs += 2 * 3_600_000;
    expect(await inbox.lease.acquire({ holder: 'here', ttlMs: 1000 })).toMatchObject({ ok: true, fence: 2 });
  });

  it('replays a dead letter once when two processes ask for it', async () => {
    await using folder = await scratchFolder();
    await using inbox = openInbox(folder.path);
    await using other = await InboxProcess.open(folder.path);
    await inbox.append(payloadsOf(['bad']), { receivedAt: now() });
    await other.ask({ do: 'park', position: 1 });
    for (let position = 1; position <= 20; position += 1) {
      const [here, there] = await Promise.all([inbox.replay(position), other.ask({ do: 'replay', position })]);
      expect([here, there.result].filter((result) => result !== undefined)).toEqual([position + 1]);
      await inbox.park(position + 1, REASON);
    }
    expect(await inbox.head()).toBe(21);
  });

  it('refuses what finds no room on the disk, keeps what was there, and goes on when there is room', async () => {
    await using folder = await scratchFolder();
    await using other = await InboxProcess.open(folder.path, { maxFileKiB: 1024 });
    await using inbox = openInbox(folder.path);
    expect(await other.ask({ do: 'append', texts: ['x'.repeat(30_000)] })).toEqual({ result: { first: 1, last: 1 } });
    await other.ask({ do: 'park', position: 1 });
    const flooded = await other.ask({ do: 'flood', writer: 'flood', connections: 8, batches: 100_000 });
    expect(flooded.error).toMatchObject(DISK_FULL);
    const full = await other.ask({ do: 'append', texts: Array.from({ length: 50 }, () => 'y'.repeat(30_000)) });
    expect(full.error).toMatchObject(DISK_FULL);
    const last = Math.max(...other.acknowledged.map((range) => range.last));
    const texts = textsOf(await readAll(inbox));
    for (const { first, last: end, texts: sent } of other.acknowledged) {
      expect(texts.slice(first - 1, end)).toEqual(sent);
    }
    expect(texts.some((text) => text.startsWith('y'))).toBe(false);

    const head = await inbox.head();
    expect(head).toBeGreaterThanOrEqual(last);
    expect(await other.ask({ do: 'remove', upTo: head })).toEqual({});
    expect(await other.ask({ do: 'replay', position: 1 })).toEqual({ result: head + 1 });
    const [replayed] = await inbox.read({ after: head, limit: 1, maxBytes: 100_000 });
    expect(replayed?.payload).toHaveLength(30_000);
  });

  it('leaves a dead letter where it is when there is no room to replay it', async () => {
    await using folder = await scratchFolder();
    const large = 'x'.repeat(30_000);
    {
      await using inbox = openInbox(folder.path);
      await inbox.append(payloadsOf([large]), { receivedAt: now() });
      await inbox.park(1, REASON);
    }
    await using other = await InboxProcess.open(folder.path, { maxFileKiB: 40 });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect((await other.ask({ do: 'replay', position: 1 })).error).toMatchObject(DISK_FULL);
    }
    await using inbox = openInbox(folder.path);
    expect(await inbox.head()).toBe(1);
    expect(await inbox.deadLetter(1)).toMatchObject({ bytes: large.length });
  });

  it('is the same inbox after a restart', async () => {
    await using folder = await scratchFolder();
    const opened = openInbox(folder.path);
    await opened.append(payloadsOf(['a', 'bad', 'c']), { receivedAt: now() });
    await opened.park(2, REASON);
    await opened.remove({ upTo: 3 });
    await opened.lease.acquire({ holder: 'before', ttlMs: 3_600_000 });
    await opened.close();
    await using inbox = openInbox(folder.path);
    expect(inbox.id).toBe(opened.id);
    expect([await inbox.head(), await inbox.oldest()]).toEqual([3, undefined]);
    expect(await inbox.deadLetters({ after: 0, limit: 10 })).toMatchObject([{ position: 2, reason: REASON }]);
    expect(await inbox.lease.current()).toMatchObject({ fence: 1, holder: 'before' });
    expect(await inbox.append(payloadsOf(['d']), { receivedAt: now() })).toEqual({ first: 4, last: 4 });
  });

  it('says which folder cannot be opened', async () => {
    await using folder = await scratchFolder();
    const path = join(folder.path, 'a-file', 'inbox');
    await writeFile(join(folder.path, 'a-file'), '');
    expect(() => openInbox(path)).toThrowError(
      expect.objectContaining({ reason: 'open-failed', message: expect.stringContaining(path) }),
    );
  });
});
