import type { PropertyType } from '#graph-schema';
import { canonicalJson, LONE_SURROGATE, NotJson } from './canonical-json.js';
import type { PropertyValue } from './property-values.js';

/** Bounds of one value, in bytes of UTF-8 where not said otherwise. */
export const VALUE_LIMITS = {
  stringBytes: 64 * 1024,
  jsonBytes: 256 * 1024,
  listEntries: 1_000,
  listBytes: 256 * 1024,
} as const;

/** A value as the store keeps it, null for one to remove; or why it cannot be kept. */
export type CheckedValue = { readonly value: PropertyValue | null } | { readonly problem: string };

const BROKEN = 'holds half of a surrogate pair, which is not a character';

/** Checks one value against its declared type. Problems tell the shape of a value, never a long text of it. */
export function checkValue(type: PropertyType, value: unknown): CheckedValue {
  if (value === null) return { value };
  switch (type) {
    case 'STRING':
      return checkText(value);
    case 'INTEGER':
      return checkInteger(value);
    case 'FLOAT':
      return typeof value === 'number' && Number.isFinite(value) ? { value } : mustBe('a finite number', value);
    case 'BOOLEAN':
      return typeof value === 'boolean' ? { value } : mustBe('true or false', value);
    case 'DATE_TIME':
      return checkInstant(value);
    case 'STRING_LIST':
      return checkList(value);
    case 'JSON':
      return checkJson(value);
  }
}

/** What a value looks like, in words that may stand in an error. */
export function shapeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return `a string of ${value.length} characters`;
    case 'number':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'nothing';
    case 'object':
      return value instanceof Date ? 'an instant' : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

function mustBe(rule: string, value: unknown): CheckedValue {
  return { problem: `must be ${rule}, got ${shapeOf(value)}` };
}

function checkText(value: unknown): CheckedValue {
  if (typeof value !== 'string') return mustBe('a string', value);
  if (LONE_SURROGATE.test(value)) return { problem: BROKEN };
  return withinBytes(value, VALUE_LIMITS.stringBytes, value);
}

function checkInteger(value: unknown): CheckedValue {
  if (typeof value !== 'number' || !Number.isInteger(value)) return mustBe('a whole number', value);
  if (!Number.isSafeInteger(value)) {
    return { problem: `must lie within ±(2^53 − 1), got ${value}: larger numbers go into a STRING` };
  }
  return { value };
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function checkInstant(value: unknown): CheckedValue {
  const rule = 'an ISO 8601 instant with a time zone, for instance 2026-01-31T08:00:00Z';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? mustBe(rule, value) : withinYears(value);
  const parts = typeof value === 'string' ? INSTANT.exec(value) : null;
  if (parts === null) return mustBe(rule, value);
  const instant = new Date(String(value));
  const [, year, month, day] = parts.map(Number);
  // `Date` takes the 30th of February for the 2nd of March.
  const real = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day)).getUTCDate() === day;
  if (Number.isNaN(instant.getTime()) || !real) return { problem: `must be ${rule}, got a date that does not exist` };
  return withinYears(instant);
}

/** Those that every reader of ISO 8601 takes; an offset can lead out of them. */
function withinYears(instant: Date): CheckedValue {
  const year = instant.getUTCFullYear();
  return year >= 1 && year <= 9_999 ? { value: instant } : { problem: 'must lie in the years 1 to 9999 of UTC' };
}

function checkList(value: unknown): CheckedValue {
  if (!Array.isArray(value)) return mustBe('a list of strings', value);
  if (value.length > VALUE_LIMITS.listEntries) {
    return { problem: `must have ${VALUE_LIMITS.listEntries} entries at most, got ${value.length}` };
  }
  const wrong = value.findIndex((entry) => typeof entry !== 'string');
  if (wrong >= 0) return { problem: `must be a list of strings, entry ${wrong} is ${shapeOf(value[wrong])}` };
  const entries = value as string[];
  const broken = entries.findIndex((entry) => LONE_SURROGATE.test(entry));
  if (broken >= 0) return { problem: `entry ${broken} ${BROKEN}` };
  return withinBytes(entries.join(''), VALUE_LIMITS.listBytes, entries);
}

function checkJson(value: unknown): CheckedValue {
  try {
    const text = canonicalJson(value);
    return withinBytes(text, VALUE_LIMITS.jsonBytes, text);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const place = error.path.length === 0 ? '' : `at ${error.path.slice(0, 8).join('.').slice(0, 200)} `;
    return { problem: `must be JSON: ${place}it ${error.message}` };
  }
}

function withinBytes(text: string, limit: number, value: PropertyValue): CheckedValue {
  // A UTF-16 unit is three bytes of UTF-8 at most, so most texts need no counting.
  if (text.length * 3 <= limit) return { value };
  const bytes = Buffer.byteLength(text);
  return bytes <= limit ? { value } : { problem: `must have ${limit} bytes of UTF-8 at most, got ${bytes}` };
}
