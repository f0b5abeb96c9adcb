import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EventInbox } from '#kv';
import { payloadsOf, readAll, textsOf } from '../support/event-inbox.js';
import { appendTexts, Clock, EVENT_INBOXES, EVERYTHING, NOON, REASON } from '../support/event-inbox-kinds.js';

describe.each(EVENT_INBOXES)('$name', ({ open }) => {
  describe('queue', () => {
    it('gives out positions from 1 without gaps, and the events come back in order', async () => {
      await using inbox = await open();
      expect(await inbox.head()).toBe(0);
      expect(await inbox.oldest()).toBeUndefined();
      expect(await inbox.read(EVERYTHING)).toEqual([]);
      expect(await appendTexts(inbox, 'a')).toEqual({ first: 1, last: 1 });
      expect(await appendTexts(inbox, 'b', 'c', 'ü😀')).toEqual({ first: 2, last: 4 });
      const events = await inbox.read(EVERYTHING);
      expect(events.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
      expect(textsOf(events)).toEqual(['a', 'b', 'c', 'ü😀']);
      expect(events.map(({ receivedAt }) => receivedAt)).toEqual([NOON, NOON, NOON, NOON]);
      expect([await inbox.oldest(), await inbox.head()]).toEqual([1, 4]);
    });

    it('gives every one of many appends at once a range of its own', async () => {
      await using inbox = await open();
      const batches = Array.from({ length: 200 }, (_, batch) =>
        Array.from({ length: 1 + (batch % 4) }, (_, index) => `${batch}/${index}`),
      );
      const ranges = await Promise.all(batches.map((batch) => appendTexts(inbox, ...batch)));
      const events = await readAll(inbox);
      expect(events).toHaveLength(batches.flat().length);
      for (const [index, { first, last }] of ranges.entries()) {
        expect(textsOf(events.slice(first - 1, last))).toEqual(batches[index]);
      }
    });

    it('takes payloads of any bytes and size', async () => {
      await using inbox = await open();
      const payloads = [
        Buffer.from([0]),
        Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
        Buffer.alloc(32 * 1024 - 1, 'below the size that is compressed '),
        Buffer.alloc(32 * 1024, 'at the size that is compressed '),
        Buffer.alloc(3_000_000, '{"name":"column"},'),
        randomBytes(200_000),
      ];
      await inbox.append(payloads, { receivedAt: NOON });
      const events = await inbox.read(EVERYTHING);
      expect(events).toHaveLength(payloads.length);
      events.forEach(({ payload }, index) => {
        expect(Buffer.compare(payload, payloads[index] ?? Buffer.alloc(0))).toBe(0);
      });
      expect((await inbox.size()).bytes).toBe(payloads.reduce((sum, { length }) => sum + length, 0));
    });

    it('leaves the memory of the payloads to the caller', async () => {
      await using inbox = await open();
      const payload = Buffer.from('before');
      const large = Buffer.alloc(100_000, 'l');
      const appended = inbox.append([payload, large], { receivedAt: NOON });
      payload.fill('x');
      large.fill('x');
      await appended;
      const [event, second] = await inbox.read(EVERYTHING);
      event?.payload.fill(0);
      expect(second?.payload.every((byte) => byte === 'l'.charCodeAt(0))).toBe(true);
      expect(textsOf(await inbox.read({ ...EVERYTHING, limit: 1 }))).toEqual(['before']);
    });

    it('reads pages by position, count and bytes, and one event however large', async () => {
      await using inbox = await open();
      await appendTexts(inbox, 'aaaa', 'bbbb', 'c'.repeat(100), 'dddd');
      const read = async (page: Partial<typeof EVERYTHING>) => textsOf(await inbox.read({ ...EVERYTHING, ...page }));
      expect(await read({ after: 1, limit: 1 })).toEqual(['bbbb']);
      expect(await read({ maxBytes: 8 })).toEqual(['aaaa', 'bbbb']);
      expect(await read({ maxBytes: 11 })).toEqual(['aaaa', 'bbbb']);
      expect(await read({ after: 2, maxBytes: 8 })).toEqual(['c'.repeat(100)]);
      expect(await read({ after: 4 })).toEqual([]);
      expect(await read({ after: 400 })).toEqual([]);
    });

    it('removes what the graph has, and goes on counting', async () => {
      await using inbox = await open();
      await appendTexts(inbox, 'a', 'b', 'c');
      await inbox.remove({ upTo: 0 });
      await inbox.remove({ upTo: 2 });
      await inbox.remove({ upTo: 1 });
      expect([await inbox.oldest(), await inbox.head()]).toEqual([3, 3]);
      expect(textsOf(await inbox.read(EVERYTHING))).toEqual(['c']);
      await inbox.remove({ upTo: 3 });
      await inbox.remove({ upTo: 3 });
      expect([await inbox.oldest(), await inbox.head()]).toEqual([undefined, 3]);
      expect(await appendTexts(inbox, 'd')).toEqual({ first: 4, last: 4 });
    });

    it('removes more than one transaction holds while appends go on', async () => {
      await using inbox = await open();
      await appendTexts(inbox, ...Array.from({ length: 2500 }, (_, index) => `event ${index}`));
      const [, appended] = await Promise.all([inbox.remove({ upTo: 2400 }), appendTexts(inbox, 'late')]);
      expect(appended).toEqual({ first: 2501, last: 2501 });
      expect([await inbox.oldest(), (await inbox.size()).events]).toEqual([2401, 101]);
    });

    it('refuses to remove beyond its end, as a position of another inbox would', async () => {
      await using inbox = await open();
      await appendTexts(inbox, 'a');
      const refusal = { name: 'InputError', problems: [{ field: 'upTo' }] };
      await expect(inbox.remove({ upTo: 2 })).rejects.toMatchObject(refusal);
      expect(await inbox.oldest()).toBe(1);
    });

    it('tells the backlog: all that is kept, or after the position that the graph has', async () => {
      const clock = new Clock();
      await using inbox = await open(clock);
      expect(await inbox.size()).toEqual({ events: 0, bytes: 0, oldestAgeMs: 0 });
      await inbox.append(payloadsOf(['12345']), { receivedAt: clock.now() });
      clock.move(1000);
      await inbox.append(payloadsOf(['123', '1234567']), { receivedAt: clock.now() });
      clock.move(500);
      expect(await inbox.size()).toEqual({ events: 3, bytes: 15, oldestAgeMs: 1500 });
      expect(await inbox.size({ after: 1 })).toEqual({ events: 2, bytes: 10, oldestAgeMs: 500 });
      await inbox.remove({ upTo: 2 });
      expect(await inbox.size()).toEqual({ events: 1, bytes: 7, oldestAgeMs: 500 });
      expect(await inbox.size({ after: 3 })).toEqual({ events: 0, bytes: 0, oldestAgeMs: 0 });
      clock.move(-60_000);
      expect((await inbox.size()).oldestAgeMs).toBe(0);
    });

    it('has an id that no other inbox has', async () => {
      await using one = await open();
      await using other = await open();
      expect(one.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(other.id).not.toBe(one.id);
    });
  });

  describe('waiting', () => {
    /** Longer than any test: only the signal can wake. */
    const pollMs = 3_600_000;

    it('ends at once when there is something already', async () => {
      await using inbox = await open();
      await appendTexts(inbox, 'a');
      await inbox.waitForAppend({ after: 0, pollMs });
    });

    it('ends with an append, and not before', async () => {
      await using inbox = await open();
      await appendTexts(inbox, 'a');
      const order: string[] = [];
      const waiting = inbox.waitForAppend({ after: 2, pollMs }).then(() => order.push('woken'));
      await appendTexts(inbox, 'b');
      order.push('second');
      await appendTexts(inbox, 'c');
      await waiting;
      expect(order).toEqual(['second', 'woken']);
    });

    it('ends with a replay', async () => {
      await using inbox = await open();
      await appendTexts(inbox, 'a');
      await inbox.park(1, REASON);
      const waiting = inbox.waitForAppend({ after: 1, pollMs });
      await inbox.replay(1);
      await waiting;
    });

    it('can be given up', async () => {
      await using inbox = await open();
      const given = new AbortController();
      const waiting = inbox.waitForAppend({ after: 0, pollMs, signal: given.signal });
      given.abort(new Error('stopped'));
      await expect(waiting).rejects.toThrow('stopped');
      await expect(inbox.waitForAppend({ after: 0, pollMs, signal: given.signal })).rejects.toThrow('stopped');
    });

    it('ends when the inbox is closed', async () => {
      await using inbox = await open();
      const waiting = inbox.waitForAppend({ after: 0, pollMs });
      const ended = expect(waiting).rejects.toMatchObject({ name: 'EventInboxError', reason: 'closed' });
      await inbox.close();
      await ended;
    });
  });

  describe('rules', () => {
    const options = { receivedAt: NOON };

    it.each<[string, string, (inbox: EventInbox) => Promise<unknown>]>([
      ['no payload at all', 'payloads', (inbox) => inbox.append([], options)],
      ['an empty payload', 'payloads.1', (inbox) => inbox.append([Buffer.from('a'), Buffer.alloc(0)], options)],
      ['a payload of text', 'payloads.0', (inbox) => inbox.append(['a' as unknown as Uint8Array], options)],
      ['no time', 'receivedAt', (inbox) => inbox.append([Buffer.from('a')], { receivedAt: new Date('never') })],
      ['a negative position', 'after', (inbox) => inbox.read({ ...EVERYTHING, after: -1 })],
      ['half a position', 'after', (inbox) => inbox.size({ after: 0.5 })],
      ['a limit of 0', 'limit', (inbox) => inbox.read({ ...EVERYTHING, limit: 0 })],
      ['a limit that is no number', 'limit', (inbox) => inbox.deadLetters({ after: 0, limit: Number.NaN })],
      ['no bytes', 'maxBytes', (inbox) => inbox.read({ ...EVERYTHING, maxBytes: 0 })],
      ['no wait between looks', 'pollMs', (inbox) => inbox.waitForAppend({ after: 0, pollMs: 0 })],
      ['position 0 to park', 'position', (inbox) => inbox.park(0, REASON)],
      ['position 0 to replay', 'position', (inbox) => inbox.replay(0)],
      [
        'a reason without a path',
        'reason.path',
        (inbox) => inbox.park(1, { code: 'A', message: 'b' } as typeof REASON),
      ],
      ['a lease without a holder', 'holder', (inbox) => inbox.lease.acquire({ holder: '', ttlMs: 1 })],
      ['a lease without a time', 'ttlMs', (inbox) => inbox.lease.acquire({ holder: 'a', ttlMs: 0 })],
      ['a fence of nobody', 'fence', (inbox) => inbox.lease.renew({ fence: 0, ttlMs: 1 })],
    ])('refuses %s and names the field', async (_, field, act) => {
      await using inbox = await open();
      await appendTexts(inbox, 'a');
      await expect(act(inbox)).rejects.toMatchObject({ name: 'InputError', problems: [{ field }] });
      expect(await inbox.head()).toBe(1);
    });

    it('finishes appends under way when it closes, and refuses EVERYTHING after', async () => {
      await using inbox = await open();
      const appends = [appendTexts(inbox, 'a'), appendTexts(inbox, 'b'.repeat(100_000)), appendTexts(inbox, 'c')];
      await Promise.all([inbox.close(), inbox.close()]);
      expect((await Promise.all(appends)).map(({ first }) => first).sort()).toEqual([1, 2, 3]);
      const closed = { name: 'EventInboxError', reason: 'closed', code: 'STORE_UNAVAILABLE' };
      const attempts = [
        () => appendTexts(inbox, 'a'),
        () => inbox.read(EVERYTHING),
        () => inbox.remove({ upTo: 1 }),
        () => inbox.head(),
        () => inbox.oldest(),
        () => inbox.size(),
        () => inbox.waitForAppend({ after: 9, pollMs: 1 }),
        () => inbox.park(1, REASON),
        () => inbox.deadLetters({ after: 0, limit: 1 }),
        () => inbox.deadLetter(1),
        () => inbox.replay(1),
        () => inbox.discard(1),
        () => inbox.lease.acquire({ holder: 'a', ttlMs: 1 }),
        () => inbox.lease.current(),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(closed);
    });
  });
});
