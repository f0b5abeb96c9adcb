import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { DeadLetterReason, InboxEvent } from './event-inbox.js';
import { EventInboxError } from './event-inbox-error.js';

/**
 * Payloads from this size on are deflated. Lineage events are small and live for a second, so the work would be wasted on
 * them; the rare large ones (query plans, wide schemas) shrink to a tenth and would fill the disk while the graph is down.
 */
const DEFLATE_FROM_BYTES = 32 * 1024;

const FORMAT = 1;
const [PLAIN, DEFLATED] = [0, 1];

/** Layout: format (1 byte), encoding (1 byte), then little-endian time, total and size, then the stored payload. */
const OFFSET = { format: 0, encoding: 1, receivedAtMs: 2, totalBytes: 10, size: 18, payload: 26 } as const;

/**
 * What is stored of one event. `totalBytes` is the size of all payloads from position 1 up to and including this one, so
 * that the size of any stretch of the queue is one subtraction.
 */
export type EventRecord = { receivedAtMs: number; totalBytes: number; size: number };

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The record without its total, which is known only when its position is. The payload is copied before anything waits. */
export async function encodeEvents(payloads: readonly Uint8Array[], receivedAt: Date): Promise<Buffer[]> {
  const copies = payloads.map((payload) => Buffer.from(payload));
  if (copies.every(({ length }) => length < DEFLATE_FROM_BYTES)) {
    return copies.map((payload) => encodeEvent(PLAIN, payload.length, payload, receivedAt));
  }
  const records: Buffer[] = [];
  for (const payload of copies) {
    const deflated = payload.length < DEFLATE_FROM_BYTES ? payload : await deflate(payload, { level: 1 });
    const [encoding, stored] = deflated.length < payload.length ? [DEFLATED, deflated] : [PLAIN, payload];
    records.push(encodeEvent(encoding, payload.length, stored, receivedAt));
  }
  return records;
}

export function setTotalBytes(record: Buffer, totalBytes: number): void {
  record.writeDoubleLE(totalBytes, OFFSET.totalBytes);
}

export function readHeader(position: number, record: Buffer): EventRecord {
  if (record.length <= OFFSET.payload || record[OFFSET.format] !== FORMAT) throw corrupt(position);
  return {
    receivedAtMs: record.readDoubleLE(OFFSET.receivedAtMs),
    totalBytes: record.readDoubleLE(OFFSET.totalBytes),
    size: record.readDoubleLE(OFFSET.size),
  };
}

/** @throws EventInboxError with reason `corrupt` */
export async function decodeEvent(position: number, record: Buffer): Promise<InboxEvent> {
  const { receivedAtMs, size } = readHeader(position, record);
  const stored = record.subarray(OFFSET.payload);
  const payload = record[OFFSET.encoding] === DEFLATED ? await inflated(position, stored, size) : stored;
  if (payload.length !== size) throw corrupt(position);
  return { position, receivedAt: new Date(receivedAtMs), payload };
}

/** A dead letter is its reason as JSON, with the length of that before it, followed by the record of the event. */
export type DeadLetterNote = { reason: DeadLetterReason; parkedAtMs: number };

export function encodeDeadLetter(note: DeadLetterNote, record: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(note));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, record]);
}

/** @throws EventInboxError with reason `corrupt` */
export function decodeDeadLetter(position: number, stored: Buffer): { note: DeadLetterNote; record: Buffer } {
  try {
    const end = 4 + stored.readUInt32LE();
    const note: DeadLetterNote = JSON.parse(stored.toString('utf8', 4, end));
    const record = stored.subarray(end);
    readHeader(position, record);
    return { note, record };
  } catch (cause) {
    throw corrupt(position, cause);
  }
}

/** Positions have no gaps, so an event that is neither removed nor there was lost by the disk or by a foreign hand. */
export function missingEvent(position: number): EventInboxError {
  const message = 'an event is missing in the middle; set the folder of the inbox aside and start with an empty one';
  return new EventInboxError('corrupt', message, { position });
}

function encodeEvent(encoding: number, size: number, stored: Buffer, receivedAt: Date): Buffer {
  const record = Buffer.allocUnsafe(OFFSET.payload + stored.length);
  record[OFFSET.format] = FORMAT;
  record[OFFSET.encoding] = encoding;
  record.writeDoubleLE(receivedAt.getTime(), OFFSET.receivedAtMs);
  record.writeDoubleLE(0, OFFSET.totalBytes);
  record.writeDoubleLE(size, OFFSET.size);
  stored.copy(record, OFFSET.payload);
  return record;
}

async function inflated(position: number, stored: Buffer, size: number): Promise<Buffer> {
  try {
    return await inflate(stored, { maxOutputLength: size });
  } catch (cause) {
    throw corrupt(position, cause);
  }
}

function corrupt(position: number, cause?: unknown): EventInboxError {
  const message = 'the stored event makes no sense; set the folder of the inbox aside and start with an empty one';
  return new EventInboxError('corrupt', message, cause === undefined ? { position } : { position, cause });
}
