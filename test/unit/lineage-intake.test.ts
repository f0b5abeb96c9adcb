import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openEventInbox } from '#kv';
import { decodeInboxToken, encodeInboxToken, LineageIntake } from '../../ingestion/openlineage-intake/index.js';
import { retryPauseMs } from '../../ingestion/openlineage-intake/retry-pause.js';
import { textsOf } from '../support/event-inbox.js';
import { EVERYTHING, NOON } from '../support/event-inbox-kinds.js';
import { runEvent } from '../support/openlineage-events.js';

function openIntake() {
  const inbox = openEventInbox({ kind: 'memory', now: () => NOON });
  return { inbox, intake: new LineageIntake(inbox, () => NOON) };
}

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('the intake of one event', () => {
  it('keeps its bytes as they were sent', async () => {
    const { inbox, intake } = openIntake();
    const text = JSON.stringify(runEvent(), null, 1).replace('{', '{ "big": 12345678901234567890,');
    const answer = await intake.take(bytes(text));
    expect(answer).toMatchObject({ ok: true, taken: { range: { first: 1, last: 1 } } });
    expect(textsOf(await inbox.read(EVERYTHING))).toEqual([text]);
  });

  it('passes over a byte order mark', async () => {
    const { intake } = openIntake();
    expect(await intake.take(bytes(`\uFEFF${JSON.stringify(runEvent())}`))).toMatchObject({ ok: true });
  });

  it.each([
    ['no bytes', bytes(''), 400, '', 'must be JSON'],
    ['no JSON', bytes('{"job" "secret"}'), 400, '', 'must be JSON'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, '', 'UTF-8'],
    ['a list', bytes([runEvent()]), 400, '', 'a list of 1'],
    ['no job', bytes(runEvent({ job: undefined })), 400, 'job', 'an object'],
    ['an empty name', bytes(runEvent({ inputs: [{ namespace: 'a', name: '' }] })), 422, 'inputs[0].name', 'empty'],
    ['a time that is none', bytes(runEvent({ eventTime: 'noon' })), 422, 'eventTime', 'ISO 8601'],
  ])('refuses %s', async (_, body, status, path, rule) => {
    const { inbox, intake } = openIntake();
    const answer = await intake.take(body);
    expect(answer).toMatchObject({ ok: false, status, faults: [{ path, rule: expect.stringContaining(rule) }] });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(await inbox.head()).toBe(0);
  });
});

describe('the intake of a batch', () => {
  it('takes what can be read, in order, and says what is wrong with the rest', async () => {
    const { inbox, intake } = openIntake();
    const named = (name: string) => runEvent({ job: { namespace: 'shop', name } });
    const answer = await intake.takeBatch(bytes([named('a'), 7, named('b'), named('')]));
    expect(answer).toMatchObject({
      ok: true,
      received: 4,
      refused: [
        { index: 1, status: 400, faults: [{ path: '' }] },
        { index: 3, status: 422, faults: [{ path: 'job.name' }] },
      ],
      takenIndexes: [0, 2],
      taken: { range: { first: 1, last: 2 } },
    });
    expect(textsOf(await inbox.read(EVERYTHING)).map((text) => JSON.parse(text))).toEqual([named('a'), named('b')]);
  });

  it('takes an empty one', async () => {
    const { intake } = openIntake();
    expect(await intake.takeBatch(bytes([]))).toMatchObject({ ok: true, received: 0, taken: undefined });
  });

  it('refuses what is no list, and more than 10,000 events', async () => {
    const { intake } = openIntake();
    expect(await intake.takeBatch(bytes(runEvent()))).toMatchObject({ ok: false, status: 400 });
    const many = bytes(Array.from({ length: 10_001 }, () => 0));
    await expect(intake.takeBatch(many)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});

describe('a token of the inbox', () => {
  it('names a place, and nothing else is one', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat({ max: Number.MAX_SAFE_INTEGER }), (inboxId, position) => {
        expect(decodeInboxToken(encodeInboxToken({ inboxId, position }))).toEqual({ inboxId, position });
      }),
    );
    for (const text of ['', 'nonsense', Buffer.from('i1-99999999999999999-a').toString('base64url')]) {
      expect(decodeInboxToken(text)).toBeUndefined();
    }
  });
});

describe('the pause before another attempt', () => {
  it('grows, stays in bounds, and is not the same for all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, random) => {
          const pauseMs = retryPauseMs(failures, random);
          expect(pauseMs).toBeGreaterThanOrEqual(50);
          expect(pauseMs).toBeLessThanOrEqual(10_000);
          expect(retryPauseMs(failures + 1, random)).toBeGreaterThanOrEqual(pauseMs);
          expect(retryPauseMs(failures, 0)).toBeLessThan(retryPauseMs(failures, 0.999));
        },
      ),
    );
  });
});
