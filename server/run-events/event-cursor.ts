import { InputError } from '#errors';

const PATTERN = /^c1-(\d{1,16})$/;

/** A position in the change log as clients see it: opaque, and versioned so that its form can change. */
export function encodeEventCursor(sequence: number): string {
  return Buffer.from(`c1-${sequence}`).toString('base64url');
}

/** @throws InputError when the text is not a cursor of this server */
export function decodeEventCursor(cursor: string): number {
  const match = PATTERN.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const sequence = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(sequence)) {
    throw InputError.one('BAD_USER_INPUT', 'after', 'is not a cursor that this subscription has sent');
  }
  return sequence;
}
