import { InputError } from '#errors';

/** Families of SQL types by which two cursor values compare. */
export const ORDERED_FAMILIES = ['timestamptz', 'timestamp', 'date', 'integer', 'decimal', 'text'] as const;
export type OrderedFamily = (typeof ORDERED_FAMILIES)[number];

/** All families, the same set as in the contracts; offsets of several partitions have no order. */
export const CURSOR_FAMILIES = [...ORDERED_FAMILIES, 'offsets'] as const;
export type CursorFamily = (typeof CURSOR_FAMILIES)[number];

export type Ordering = -1 | 0 | 1;

const DATE = String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`;
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}`;

/** Canonical spelling of a value, by family. One spelling per instant is what lets text order stand for time order. */
const CANONICAL: Record<CursorFamily, { pattern: RegExp; form: string }> = {
  timestamptz: { pattern: new RegExp(`^${DATE}T${TIME}Z$`), form: 'YYYY-MM-DDTHH:MM:SS.ffffffZ' },
  timestamp: { pattern: new RegExp(`^${DATE}T${TIME}$`), form: 'YYYY-MM-DDTHH:MM:SS.ffffff' },
  date: { pattern: new RegExp(`^${DATE}$`), form: 'YYYY-MM-DD' },
  integer: { pattern: /^(?:0|-?[1-9]\d*)$/, form: 'a whole number in plain notation' },
  decimal: { pattern: /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/, form: 'a decimal number in plain notation' },
  text: { pattern: /^\P{Surrogate}+$/su, form: 'non-empty, well-formed text' },
  offsets: {
    pattern: /^\{(?:"(?:0|[1-9]\d*)":(?:0|[1-9]\d*)(?:,(?!\})|(?=\})))*\}$/,
    form: 'a JSON object from partition to next offset, without blanks',
  },
};

/** @throws InputError when the value is not spelled canonically for its family */
export function checkCursorValue(family: CursorFamily, value: string): void {
  const { pattern, form } = CANONICAL[family];
  if (pattern.test(value)) return;
  throw InputError.one('BAD_USER_INPUT', 'cursor.value', `must be ${form} (family ${family})`);
}

/**
 * Order of two cursor values of one family: by time, by numeric value (exact, of any size), or by code point.
 * Decimals of different scale may be equal (`1.0` and `1.00`). Text order is that of the C collation.
 * @throws InputError when a value is not spelled canonically
 */
export function compareCursorValues(family: OrderedFamily, a: string, b: string): Ordering {
  checkCursorValue(family, a);
  checkCursorValue(family, b);
  switch (family) {
    case 'timestamptz':
    case 'timestamp':
    case 'date':
      return order(a, b);
    case 'integer':
      return order(BigInt(a), BigInt(b));
    case 'decimal': {
      const scale = Math.max(scaleOf(a), scaleOf(b));
      return order(unscaled(a, scale), unscaled(b, scale));
    }
    case 'text':
      // JavaScript compares UTF-16 units, which puts U+1F600 before U+FFFD; UTF-8 bytes are in code point order.
      return order(Buffer.compare(Buffer.from(a), Buffer.from(b)), 0);
  }
}

/**
 * Whether `next` gives up something that `stored` holds. Offsets do so as soon as one partition falls back or is missing.
 * @throws InputError when a value is not spelled canonically
 */
export function fallsBelow(family: CursorFamily, next: string, stored: string): boolean {
  if (family !== 'offsets') return compareCursorValues(family, next, stored) < 0;
  const reached = offsetsOf(next);
  return [...offsetsOf(stored)].some(([partition, offset]) => (reached.get(partition) ?? -1n) < offset);
}

/** Read by pattern, not as JSON: an offset has 64 bits. */
function offsetsOf(value: string): ReadonlyMap<string, bigint> {
  checkCursorValue('offsets', value);
  return new Map(
    [...value.matchAll(/"(\d+)":(\d+)/g)].map(([, partition = '', offset = '']) => [partition, BigInt(offset)]),
  );
}

function order<T extends string | bigint | number>(a: T, b: T): Ordering {
  return a < b ? -1 : a > b ? 1 : 0;
}

function scaleOf(decimal: string): number {
  const point = decimal.indexOf('.');
  return point < 0 ? 0 : decimal.length - point - 1;
}

/** The decimal as a whole number of 10^-scale. */
function unscaled(decimal: string, scale: number): bigint {
  return BigInt(decimal.replace('.', '') + '0'.repeat(scale - scaleOf(decimal)));
}
