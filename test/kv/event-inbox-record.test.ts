import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeDeadLetter,
  decodeEvent,
  encodeDeadLetter,
  encodeEvents,
  readHeader,
  setTotalBytes,
} from '../../kv/event-inbox-record.js';

const CORRUPT = { reason: 'corrupt', code: 'INTERNAL_SERVER_ERROR', details: { reason: 'corrupt', position: 7 } };

async function recordOf(payload: Uint8Array, receivedAt = new Date(0)): Promise<Buffer> {
  const [record] = await encodeEvents([payload], receivedAt);
  if (record === undefined) throw new Error('no record was made');
  return record;
}

describe('record of an event', () => {
  it('gives back what was put in, whatever its bytes, size and time', async () => {
    const payloads = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.tuple(fc.integer({ min: 32_000, max: 40_000 }), fc.nat(255)).map(([size, byte]) => Buffer.alloc(size, byte)),
    );
    const law = fc.asyncProperty(payloads, fc.date({ noInvalidDate: true }), fc.nat(), async (payload, at, total) => {
      const record = await recordOf(payload, at);
      setTotalBytes(record, total);
      expect(readHeader(7, record)).toEqual({
        receivedAtMs: at.getTime(),
        totalBytes: total,
        size: payload.length,
      });
      const event = await decodeEvent(7, record);
      expect(event).toMatchObject({ position: 7, receivedAt: at });
      expect(Buffer.compare(event.payload, payload)).toBe(0);
    });
    await fc.assert(law, { numRuns: 200 });
  });

  it('shrinks a large payload that repeats itself and leaves a small one as it is', async () => {
    const event = Buffer.alloc(100_000, '{"name":"customer_id","type":"VARCHAR"},');
    expect((await recordOf(event)).length).toBeLessThan(event.length / 10);
    expect((await recordOf(event.subarray(0, 6000))).includes(event.subarray(0, 6000))).toBe(true);
  });

  it.each<[string, (record: Buffer) => Buffer]>([
    ['nothing', () => Buffer.alloc(0)],
    ['a record without its payload', (record) => record.subarray(0, 26)],
    ['another format', (record) => Buffer.concat([Buffer.from([9]), record.subarray(1)])],
    ['a cut record', (record) => record.subarray(0, -1)],
    ['a record with more behind it', (record) => Buffer.concat([record, Buffer.from('x')])],
  ])('tells %s from an event', async (_, spoil) => {
    await expect(decodeEvent(7, spoil(await recordOf(Buffer.from('payload'))))).rejects.toMatchObject(CORRUPT);
  });

  it('tells a spoilt deflated payload from an event', async () => {
    const record = await recordOf(Buffer.alloc(100_000, 'a'));
    await expect(decodeEvent(7, record.fill(0xff, 26))).rejects.toMatchObject(CORRUPT);
  });

  it('keeps the reason of a dead letter beside its record', async () => {
    const record = await recordOf(Buffer.from('payload'));
    const note = { reason: { code: 'A', path: 'job.näme', message: 'm' }, parkedAtMs: 5 };
    expect(decodeDeadLetter(7, encodeDeadLetter(note, record))).toEqual({ note, record });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no JSON', Buffer.from([2, 0, 0, 0, 123, 123])],
    ['a length beyond the end', Buffer.from([255, 255, 255, 255, 123, 125])],
  ])('tells %s from a dead letter', (_, stored) => {
    expect(() => decodeDeadLetter(7, stored)).toThrowError(expect.objectContaining(CORRUPT));
  });
});
