import { InputError } from '#errors';

export interface PageRequest {
  /** 1 to 500. */
  readonly first: number;
  /** Cursor of the last row of the page before. */
  readonly after?: string | undefined;
}

export interface Page<T> {
  readonly rows: readonly { readonly cursor: string; readonly record: T }[];
  readonly hasNextPage: boolean;
}

/** Raised when the sort order of a list changes, so that a cursor of the older order is refused instead of misread. */
const CURSOR_VERSION = 1;

export const MAX_PAGE = 500;

/** The sort key of a row: the values of the ORDER BY, the urn last. */
export type PageKey = readonly [...string[], string];

export function encodePageCursor(key: PageKey): string {
  return Buffer.from(JSON.stringify([CURSOR_VERSION, ...key])).toString('base64url');
}

/** @throws InputError when the text is not a cursor of this list */
export function decodePageCursor(cursor: string, keyLength: number): string[] {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    decoded = undefined;
  }
  if (!Array.isArray(decoded) || decoded[0] !== CURSOR_VERSION || decoded.length !== keyLength + 1)
    throw foreignCursor();
  const key = decoded.slice(1);
  if (!key.every((part) => typeof part === 'string')) throw foreignCursor();
  return key;
}

/** A part of a key that stands for an instant. @throws InputError as `decodePageCursor` does */
export function instantOfKey(part: string): Date {
  const instant = new Date(part);
  if (Number.isNaN(instant.getTime())) throw foreignCursor();
  return instant;
}

/** A part of a key that stands for a number. @throws InputError as `decodePageCursor` does */
export function numberOfKey(part: string): number {
  const number = Number(part);
  if (part === '' || !Number.isFinite(number)) throw foreignCursor();
  return number;
}

function foreignCursor(): InputError {
  return InputError.one('BAD_USER_INPUT', 'after', 'is not a cursor that this list has returned');
}

export function checkPageSize(size: number, field = 'first'): void {
  if (size < 1 || size > MAX_PAGE) {
    throw InputError.one('BAD_USER_INPUT', field, `must be from 1 to ${MAX_PAGE}, got ${size}`);
  }
}
