import { describe, expect, it } from 'vitest';
import { Clock, EVENT_INBOXES, NOON } from '../support/event-inbox-kinds.js';

describe.each(EVENT_INBOXES)('lease of the $name', ({ open }) => {
  const ttlMs = 10_000;

  it('goes to one holder until its time is over', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    expect(await inbox.lease.current()).toMatchObject({ fence: 0, holder: null });
    const expiresAt = new Date(NOON.getTime() + ttlMs);
    expect(await inbox.lease.acquire({ holder: 'one', ttlMs })).toEqual({ ok: true, fence: 1, expiresAt });
    clock.move(ttlMs - 1);
    const held = { ok: false, current: { fence: 1, holder: 'one', expiresAt } };
    expect(await inbox.lease.acquire({ holder: 'two', ttlMs })).toEqual(held);
    expect(await inbox.lease.acquire({ holder: 'one', ttlMs })).toEqual(held);
    clock.move(1);
    expect(await inbox.lease.acquire({ holder: 'two', ttlMs })).toMatchObject({ ok: true, fence: 2 });
  });

  it('lasts as long as it is renewed', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    await inbox.lease.acquire({ holder: 'one', ttlMs });
    for (let round = 1; round <= 3; round += 1) {
      clock.move(ttlMs - 1);
      const renewed = await inbox.lease.renew({ fence: 1, ttlMs });
      expect(renewed).toEqual({ ok: true, fence: 1, expiresAt: new Date(clock.now().getTime() + ttlMs) });
    }
    expect(await inbox.lease.acquire({ holder: 'two', ttlMs })).toMatchObject({ ok: false });
  });

  it('can be renewed late as long as nobody else has taken it', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    await inbox.lease.acquire({ holder: 'one', ttlMs });
    clock.move(5 * ttlMs);
    expect(await inbox.lease.renew({ fence: 1, ttlMs })).toMatchObject({ ok: true, fence: 1 });
    expect(await inbox.lease.acquire({ holder: 'two', ttlMs })).toMatchObject({ ok: false });
  });

  it('tells a holder that wakes up too late by the fencing number', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    await inbox.lease.acquire({ holder: 'sleeper', ttlMs });
    clock.move(ttlMs);
    await inbox.lease.acquire({ holder: 'next', ttlMs });
    const current = { fence: 2, holder: 'next', expiresAt: new Date(clock.now().getTime() + ttlMs) };
    expect(await inbox.lease.current()).toEqual(current);
    expect(await inbox.lease.renew({ fence: 1, ttlMs })).toEqual({ ok: false, current });
    expect(await inbox.lease.release({ fence: 1 })).toBe(false);
    expect(await inbox.lease.current()).toEqual(current);
  });

  it('is free at once after a release, under a higher number', async () => {
    await using inbox = await open();
    await inbox.lease.acquire({ holder: 'one', ttlMs });
    expect(await inbox.lease.release({ fence: 1 })).toBe(true);
    expect(await inbox.lease.release({ fence: 1 })).toBe(false);
    expect(await inbox.lease.current()).toMatchObject({ fence: 1, holder: null });
    expect(await inbox.lease.renew({ fence: 1, ttlMs })).toMatchObject({ ok: false });
    expect(await inbox.lease.acquire({ holder: 'two', ttlMs })).toMatchObject({ ok: true, fence: 2 });
  });

  it('goes to exactly one of many who ask at once', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    for (const fence of [1, 2, 3]) {
      const asked = Array.from({ length: 20 }, (_, index) => inbox.lease.acquire({ holder: `h${index}`, ttlMs }));
      const granted = (await Promise.all(asked)).filter(({ ok }) => ok);
      expect(granted).toMatchObject([{ ok: true, fence }]);
      clock.move(ttlMs);
    }
  });

  it('goes to either the old or a new holder when one renews and the other takes it at the same time', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    let fence = 1;
    await inbox.lease.acquire({ holder: 'h1', ttlMs });
    for (let round = 0; round < 10; round += 1) {
      clock.move(ttlMs);
      const acquire = () => inbox.lease.acquire({ holder: 'new', ttlMs });
      const renew = () => inbox.lease.renew({ fence, ttlMs });
      const outcomes = await Promise.all(round % 2 === 0 ? [acquire(), renew()] : [renew(), acquire()]);
      const winners = outcomes.filter((outcome) => outcome.ok);
      expect(winners).toHaveLength(1);
      fence = winners[0]?.fence ?? 0;
      expect((await inbox.lease.current()).fence).toBe(fence);
    }
  });

  it('does not outlast a clock that is set back, but outlasts a correction of the clock', async () => {
    const clock = new Clock();
    await using inbox = await open(clock);
    await inbox.lease.acquire({ holder: 'before', ttlMs });
    clock.move(-50);
    expect(await inbox.lease.acquire({ holder: 'now', ttlMs })).toMatchObject({ ok: false });
    clock.move(-86_400_000);
    expect(await inbox.lease.acquire({ holder: 'now', ttlMs })).toMatchObject({ ok: true, fence: 2 });
  });
});
