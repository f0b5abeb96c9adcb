import { describe, expect, it } from 'vitest';
import { readAll, textsOf } from '../support/event-inbox.js';
import { appendTexts, Clock, EVENT_INBOXES, EVERYTHING, NOON, REASON } from '../support/event-inbox-kinds.js';

describe.each(EVENT_INBOXES)('dead letters of the $name', ({ open }) => {
  it('keeps a copy with the reason; the event leaves the queue like any other', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    await appendTexts(inbox, 'a', 'bad', 'c');
    clock.move(1000);
    await inbox.park(2, REASON);
    const letter = { position: 2, receivedAt: NOON, parkedAt: clock.now(), reason: REASON, bytes: 3 };
    expect(await inbox.deadLetters({ after: 0, limit: 10 })).toEqual([letter]);
    expect(textsOf(await inbox.read(EVERYTHING))).toEqual(['a', 'bad', 'c']);
    await inbox.remove({ upTo: 3 });
    const found = await inbox.deadLetter(2);
    expect(found).toMatchObject(letter);
    expect(Buffer.from(found?.payload ?? []).toString()).toBe('bad');
    expect(await inbox.deadLetter(1)).toBeUndefined();
  });

  it('takes the newest reason when an event is parked again, also when only the dead letter is left', async () => {
    await using inbox = await open();
    await appendTexts(inbox, 'bad');
    for (const message of ['first', 'second']) await inbox.park(1, { ...REASON, message });
    expect(await inbox.deadLetters({ after: 0, limit: 10 })).toMatchObject([{ reason: { message: 'second' } }]);
    await inbox.remove({ upTo: 1 });
    await inbox.park(1, { ...REASON, message: 'third' });
    expect(await inbox.deadLetter(1)).toMatchObject({ reason: { message: 'third' }, bytes: 3 });
  });

  it('does not park what is not there', async () => {
    await using inbox = await open();
    await appendTexts(inbox, 'a');
    await inbox.remove({ upTo: 1 });
    const refusal = { name: 'InputError', problems: [{ code: 'NOT_FOUND', field: 'position' }] };
    await expect(inbox.park(1, REASON)).rejects.toMatchObject(refusal);
    await expect(inbox.park(2, REASON)).rejects.toMatchObject(refusal);
    expect(await inbox.deadLetters({ after: 0, limit: 10 })).toEqual([]);
  });

  it('lists them in pages by position', async () => {
    await using inbox = await open();
    await appendTexts(inbox, ...Array.from({ length: 12 }, (_, index) => `e${index}`));
    for (const position of [11, 2, 9, 5]) await inbox.park(position, REASON);
    const page = async (after: number) =>
      (await inbox.deadLetters({ after, limit: 3 })).map(({ position }) => position);
    expect(await page(0)).toEqual([2, 5, 9]);
    expect(await page(9)).toEqual([11]);
    expect(await page(11)).toEqual([]);
  });

  it('replays one to the end of the queue, as it was', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    const large = 'large'.repeat(20_000);
    await appendTexts(inbox, large, 'b');
    await inbox.park(1, REASON);
    await inbox.remove({ upTo: 2 });
    clock.move(1000);
    expect(await inbox.replay(1)).toBe(3);
    const events = await inbox.read(EVERYTHING);
    expect(events).toMatchObject([{ position: 3, receivedAt: NOON }]);
    expect(textsOf(events)).toEqual([large]);
    expect(await inbox.size()).toEqual({ events: 1, bytes: large.length, oldestAgeMs: 1000 });
    expect(await inbox.deadLetter(1)).toBeUndefined();
    expect(await inbox.replay(1)).toBeUndefined();
    expect(await inbox.head()).toBe(3);
  });

  it('replays one once, however many ask for it, in the midst of appends', async () => {
    await using inbox = await open();
    await appendTexts(inbox, 'bad');
    await inbox.park(1, REASON);
    const replays: Promise<number | undefined>[] = [];
    const appends: Promise<unknown>[] = [];
    for (let index = 0; index < 20; index += 1) {
      appends.push(appendTexts(inbox, `e${index}`, `f${index}`));
      replays.push(inbox.replay(1));
    }
    await Promise.all(appends);
    const positions = (await Promise.all(replays)).filter((position) => position !== undefined);
    expect(positions).toHaveLength(1);
    const texts = textsOf(await readAll(inbox));
    expect(texts).toHaveLength(42);
    expect(new Set(texts).size).toBe(41);
    expect(texts[(positions[0] ?? 0) - 1]).toBe('bad');
  });

  it('either replays or discards one when both are asked for', async () => {
    await using inbox = await open();
    await appendTexts(inbox, ...Array.from({ length: 20 }, (_, index) => `bad ${index}`));
    for (let position = 1; position <= 20; position += 1) {
      await inbox.park(position, REASON);
      const head = await inbox.head();
      const both = position % 2 === 0;
      const [replayed, discarded] = both
        ? await Promise.all([inbox.replay(position), inbox.discard(position)])
        : (await Promise.all([inbox.discard(position), inbox.replay(position)])).reverse();
      expect([replayed, discarded]).toEqual(discarded ? [undefined, true] : [head + 1, false]);
      expect(await inbox.head()).toBe(discarded ? head : head + 1);
      expect(await inbox.deadLetter(position)).toBeUndefined();
    }
  });

  it('discards one for good', async () => {
    await using inbox = await open();
    await appendTexts(inbox, 'bad');
    await inbox.park(1, REASON);
    expect(await inbox.discard(1)).toBe(true);
    expect(await inbox.discard(1)).toBe(false);
    expect(await inbox.deadLetters({ after: 0, limit: 10 })).toEqual([]);
  });
});
