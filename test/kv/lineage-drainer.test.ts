import { describe, expect, it, vi } from 'vitest';
import { AppError } from '#errors';
import { openEventInbox } from '#kv';
import { DrainLoop, LineageDrainer } from '../../ingestion/openlineage-intake/index.js';
import { gate } from '../support/gate.js';
import { eventOf, openTestIntake, type TestIntake } from '../support/lineage-intake.js';
import { down, nameOf, RecordingLineageWriter } from '../support/recording-lineage-writer.js';

const LONG_MS = 30_000;
const HOUR_MS = 3_600_000;

const until = (holds: () => boolean | Promise<boolean>) => vi.waitUntil(holds, { timeout: LONG_MS });

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `job${index + 1}`);
}

function refuse(message: string): never {
  throw new AppError('BAD_USER_INPUT', message);
}

/** Waits until the graph has passed everything that was appended. */
async function drained({ inbox }: TestIntake, drainer: LineageDrainer) {
  return drainer.arrival({ first: 1, last: await inbox.head() }, LONG_MS);
}

describe('a drainer', () => {
  it('brings events into the graph in order, in batches, and frees them', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer, { events: 3 });
    await intake.append(...numbered(4));
    await intake.append('job5', 'job6', 'job7');
    intake.drainer.start();
    expect(await drained(intake, intake.drainer)).toEqual({ is: 'drained', sequence: 3, parked: [] });
    expect(writer.batches).toEqual([['job1', 'job2', 'job3'], ['job4', 'job5', 'job6'], ['job7']]);
    await until(async () => (await intake.inbox.oldest()) === undefined);
  });

  it('keeps batches below a number of bytes, and takes an event that is larger alone', async () => {
    const writer = new RecordingLineageWriter();
    const { length } = eventOf('job1');
    await using intake = await openTestIntake(writer, { bytes: 2 * length });
    await intake.append('job1', 'job2', 'job3', 'x'.repeat(3 * length), 'job4');
    intake.drainer.start();
    await drained(intake, intake.drainer);
    expect(writer.batches.map((batch) => batch.length)).toEqual([2, 1, 1, 1]);
  });

  it('reads the next batch while one is being written, when it is a full one', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer, { events: 2 });
    await intake.append(...numbered(5));
    const read = vi.spyOn(intake.inbox, 'read');
    const reads = () => read.mock.calls.map(([{ after }]) => after);
    writer.before = async (events) => {
      const last = Number(events.map(nameOf).at(-1)?.slice('job'.length));
      if (last === 2) await until(() => reads().includes(2));
      else expect(reads()).not.toContain(4);
      if (last === 4) writer.before = () => {};
    };
    intake.drainer.start();
    await drained(intake, intake.drainer);
    expect(writer.batches).toEqual([['job1', 'job2'], ['job3', 'job4'], ['job5']]);
    expect(reads()).toEqual(expect.arrayContaining([0, 2, 4]));
  });

  it('goes on with what comes while it waits', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    intake.drainer.start();
    for (const name of numbered(3)) {
      await intake.append(name);
      await drained(intake, intake.drainer);
    }
    expect(writer.batches).toEqual([['job1'], ['job2'], ['job3']]);
  });

  it('applies nothing twice after a crash between the write and the freeing of its events', async () => {
    const writer = new RecordingLineageWriter();
    // Fewer are left than a batch has, so that none is read ahead.
    await using crashed = await openTestIntake(writer, { events: 3 });
    await crashed.append(...numbered(5));
    writer.after = () => crashed.inbox.close();
    crashed.drainer.start();
    await until(() => writer.batches.length === 1);
    await crashed.drainer.stop();
    writer.after = () => {};
    // The one that crashed has never given its lease back.
    crashed.clock.move(HOUR_MS);
    await using inbox = openEventInbox({ kind: 'lmdb', path: crashed.path, now: crashed.clock.now });
    expect(await inbox.oldest()).toBe(1);
    const logger = { warn: () => {}, error: () => {} };
    const drain = new DrainLoop({ inbox, writer, batch: { events: 500, bytes: 1_000_000 }, holder: 'next', logger });
    const next = new LineageDrainer({ inbox, graph: writer, drain });
    next.start();
    await next.arrival({ first: 1, last: 5 }, LONG_MS);
    await next.stop();
    expect(writer.batches).toEqual([
      ['job1', 'job2', 'job3'],
      ['job4', 'job5'],
    ]);
    expect(await inbox.oldest()).toBeUndefined();
  });

  it('applies nothing twice when the answer to a write gets lost', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer, { events: 2 });
    await intake.append(...numbered(4));
    writer.after = () => {
      writer.after = () => {};
      throw down();
    };
    intake.drainer.start();
    await drained(intake, intake.drainer);
    expect(writer.applied).toEqual(numbered(4));
    expect(writer.attempts.length).toBeGreaterThan(writer.batches.length);
  });

  it('frees what a drainer before has written and not freed', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    await intake.append('job1', 'job2');
    writer.place(intake.inbox.id, 2);
    intake.drainer.start();
    await until(async () => (await intake.inbox.oldest()) === undefined);
    expect(writer.attempts).toEqual([]);
  });

  it('keeps its lease while there is nothing to do', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    intake.drainer.start();
    await until(async () => (await intake.inbox.lease.current()).holder === 'test');
    const { expiresAt } = await intake.inbox.lease.current();
    intake.clock.move(1_000);
    await until(async () => (await intake.inbox.lease.current()).expiresAt > expiresAt);
    expect(await intake.inbox.lease.current()).toMatchObject({ fence: 1 });
  });

  it('touches nothing when the graph is ahead of the inbox', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    writer.place(intake.inbox.id, 5);
    await intake.append('job1', 'job2');
    intake.drainer.start();
    await until(() => intake.log().includes('put back from a copy'));
    await intake.drainer.stop();
    expect(writer.attempts).toEqual([]);
    expect(await intake.inbox.oldest()).toBe(1);
  });
});

describe('of several drainers on one inbox', () => {
  it('one works, the next takes over when it stops, and both know what was drained', async () => {
    const [first, second] = [new RecordingLineageWriter(), new RecordingLineageWriter()];
    await using intake = await openTestIntake(first);
    const standby = intake.drainerFor(second);
    await intake.append('job1');
    intake.drainer.start();
    await drained(intake, intake.drainer);
    standby.start();
    second.place(intake.inbox.id, 1);
    // Whoever did not write it knows no sequence.
    expect(await drained(intake, standby)).toEqual({ is: 'drained', sequence: null, parked: [] });
    await intake.drainer.stop();
    await intake.append('job2');
    await drained(intake, standby);
    expect([first.applied, second.applied]).toEqual([['job1'], ['job2']]);
    expect(second.attempts.at(-1)?.cursor).toMatchObject({ after: 1, upTo: 2, fence: 2 });
  });

  it('one that was held up for longer than its lease changes nothing any more', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    const successor = intake.drainerFor(writer);
    await intake.append('job1', 'job2');
    const heldUp = gate();
    writer.before = (_, { fence }) => (fence === 1 ? heldUp.passed : undefined);
    intake.drainer.start();
    await until(() => writer.attempts.length === 1);
    successor.start();
    await until(() => {
      // Again and again, because the one that is held up renews its lease.
      intake.clock.move(HOUR_MS);
      return writer.batches.length === 1;
    });
    const stopped = intake.drainer.stop();
    heldUp.open();
    await stopped;
    expect(writer.attempts.map(({ cursor }) => cursor.fence)).toEqual([1, 2]);
    expect(writer.applied).toEqual(['job1', 'job2']);
  });
});

describe('events that cannot be applied', () => {
  it('together are written in smaller batches', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer, { events: 8 });
    await intake.append(...numbered(8));
    writer.before = ({ length }) => void (length > 2 && refuse('too large for one transaction'));
    intake.drainer.start();
    await drained(intake, intake.drainer);
    expect(writer.applied).toEqual(numbered(8));
    expect(writer.attempts.slice(0, 3).map(({ names }) => names.length)).toEqual([8, 4, 2]);
    expect(await intake.inbox.deadLetters({ after: 0, limit: 9 })).toEqual([]);
  });

  it('at all are kept aside alone, and can be replayed', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    await intake.append('job1', 'job2', 'bad', 'job3', 'job4');
    writer.before = (events) => void (events.some((event) => nameOf(event) === 'bad') && refuse('has too many edges'));
    intake.drainer.start();
    const reason = { code: 'BAD_USER_INPUT', path: '', message: 'has too many edges' };
    expect(await drained(intake, intake.drainer)).toMatchObject({ parked: [{ position: 3, reason }] });
    expect(writer.applied).toEqual(['job1', 'job2', 'job3', 'job4']);
    // The graph passes it in a step of its own.
    expect(writer.batches).toContainEqual([]);
    writer.before = () => {};
    expect(await intake.deadLetters.replay(3)).toBe(6);
    expect(await intake.drainer.arrival({ first: 6, last: 6 }, LONG_MS)).toMatchObject({ parked: [] });
    expect(writer.applied).toEqual(['job1', 'job2', 'job3', 'job4', 'bad']);
  });

  it('are kept aside with the place of what is not understood', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    const bad = [Buffer.from('{'), Buffer.from('{"job":{"namespace":"a","name":""}}')];
    await intake.inbox.append([eventOf('job1'), ...bad, eventOf('job2')], { receivedAt: intake.clock.now() });
    intake.drainer.start();
    expect(await drained(intake, intake.drainer)).toMatchObject({
      parked: [
        { position: 2, reason: { code: 'UNREADABLE', path: '' } },
        { position: 3, reason: { code: 'UNREADABLE', path: 'eventTime' } },
      ],
    });
    expect(writer.batches).toEqual([['job1', 'job2']]);
  });

  it('move the position of the graph also when nothing else is there to write', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    await intake.inbox.append([Buffer.from('{')], { receivedAt: intake.clock.now() });
    intake.drainer.start();
    await drained(intake, intake.drainer);
    expect(await writer.position(intake.inbox.id)).toBe(1);
    expect(writer.batches).toEqual([[]]);
  });

  it('are tried several times when nobody knows why, and told without the cause', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    await intake.append('job1', 'odd', 'job2');
    writer.before = (events) => {
      if (events.some((event) => nameOf(event) === 'odd')) throw new TypeError('secret of the inside');
    };
    intake.drainer.start();
    const arrival = await drained(intake, intake.drainer);
    expect(arrival).toMatchObject({ parked: [{ position: 2, reason: { code: 'INTERNAL_SERVER_ERROR' } }] });
    expect(JSON.stringify(arrival)).not.toContain('secret');
    expect(intake.log()).toContain('secret of the inside');
    expect(writer.attempts.filter(({ names }) => names.join() === 'odd')).toHaveLength(5);
    expect(writer.applied).toEqual(['job1', 'job2']);
  });
});

describe('while the graph is down', () => {
  it.each(['STORE_UNAVAILABLE', 'TIMEOUT'] as const)('(%s) events wait, and none is kept aside', async (code) => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer, { events: 4 });
    await intake.append(...numbered(4));
    writer.before = () => {
      if (writer.attempts.length <= 5) throw new AppError(code, 'not now');
    };
    intake.drainer.start();
    expect(await drained(intake, intake.drainer)).toMatchObject({ parked: [] });
    expect(writer.applied).toEqual(numbered(4));
  });

  it('a drainer begins when it is back', async () => {
    const writer = new RecordingLineageWriter();
    writer.isDown = true;
    await using intake = await openTestIntake(writer);
    await intake.append('job1');
    intake.drainer.start();
    await until(() => intake.log().includes('Neo4j does not answer'));
    writer.isDown = false;
    await drained(intake, intake.drainer);
    expect(writer.applied).toEqual(['job1']);
  });

  it('a drainer ends when it is told to, and lets go of those who wait', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    await intake.append('job1');
    writer.before = () => {
      throw down();
    };
    const waiting = intake.drainer.arrival({ first: 1, last: 1 }, HOUR_MS);
    intake.drainer.start();
    await until(() => writer.attempts.length >= 3);
    await intake.drainer.stop();
    expect(await waiting).toEqual({ is: 'late' });
    const { length } = writer.attempts;
    expect(await intake.inbox.lease.acquire({ holder: 'next', ttlMs: 1000 })).toMatchObject({ ok: true });
    expect(writer.attempts).toHaveLength(length);
  });
});

describe('the lag', () => {
  it('is what the graph does not have, also while it is down', async () => {
    const writer = new RecordingLineageWriter();
    await using intake = await openTestIntake(writer);
    await intake.append('job1', 'job2');
    writer.place(intake.inbox.id, 1);
    intake.clock.move(7_000);
    const [second] = await intake.inbox.read({ after: 1, limit: 1, maxBytes: 1 });
    const lag = { events: 1, bytes: second?.payload.length, oldestAgeMs: 7_000 };
    expect(await intake.drainer.lag()).toEqual(lag);
    expect(await intake.drainer.status()).toEqual({ head: 2, position: 1, lag });
    writer.isDown = true;
    // Nothing is known of the graph yet, so all that is kept counts.
    expect(await intake.drainer.lag()).toMatchObject({ events: 2 });
    writer.isDown = false;
    intake.drainer.start();
    await drained(intake, intake.drainer);
    writer.isDown = true;
    expect(await intake.drainer.lag()).toEqual({ events: 0, bytes: 0, oldestAgeMs: 0 });
  });
});

describe('whoever waits', () => {
  it('is told when the time is over', async () => {
    await using intake = await openTestIntake(new RecordingLineageWriter());
    await intake.append('job1');
    expect(await intake.drainer.arrival({ first: 1, last: 1 }, 1)).toEqual({ is: 'late' });
  });
});
