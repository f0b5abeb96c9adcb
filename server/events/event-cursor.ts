import { InputError } from '#errors';

/** A change in the log, or a part of one that is sent in several. */
export interface EventPosition {
  readonly sequence: number;
  /** From 1; absent stands for the whole change. */
  readonly part?: number | undefined;
}

const PATTERN = /^c1-(\d{1,16})(?:-([1-9]\d{0,5}))?$/;

/** A position in the change log as clients see it: opaque, and versioned so that its form can change. */
export function encodeEventCursor(sequence: number, part?: number): string {
  return Buffer.from(part === undefined ? `c1-${sequence}` : `c1-${sequence}-${part}`).toString('base64url');
}

/** @throws InputError when the text is not a cursor of this server */
export function decodeEventPosition(cursor: string): EventPosition {
  const match = PATTERN.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const sequence = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(sequence)) {
    throw InputError.one('BAD_USER_INPUT', 'after', 'is not a cursor that this server has sent');
  }
  return match[2] === undefined ? { sequence } : { sequence, part: Number(match[2]) };
}

/**
 * The sequence of the change that a cursor names, whichever part of it.
 *
 * @throws InputError when the text is not a cursor of this server
 */
export function decodeEventCursor(cursor: string): number {
  return decodeEventPosition(cursor).sequence;
}
