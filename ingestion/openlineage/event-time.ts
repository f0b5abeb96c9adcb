declare const SORTED: unique symbol;

/**
 * An instant in UTC with nanoseconds, always in this one width: `2020-12-28T19:51:01.641499000Z`. The order of the texts is the
 * order of the instants, here and in Cypher; a JavaScript `Date` would lose all below a millisecond, and with it which of two
 * facets is the newer one.
 */
export type EventTime = string & { readonly [SORTED]: true };

const LONGEST = 96;
const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?(?:\[[\w/+:-]+\])?$/;

/**
 * Reads a date and time of ISO 8601 as clients print them: seconds and zone may be missing, and the name of the zone may follow in
 * brackets, as Java has it. Without a zone it is UTC, whatever the zone of this machine. Digits beyond nanoseconds are cut off.
 *
 * @returns null for what names no instant of the years 1 to 9999
 */
export function readEventTime(text: string): EventTime | null {
  const parts = text.length > LONGEST ? null : ISO_8601.exec(text);
  if (parts === null) return null;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', fraction = '', zone = 'Z'] = parts;
  const local = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // `Date` takes the 30th of February for the 2nd of March, and 24:00 for the next day.
  if (Number.isNaN(local.getTime()) || local.getUTCDate() !== Number(day) || local.getUTCHours() !== Number(hour)) {
    return null;
  }
  const offset = offsetMs(zone);
  if (offset === null) return null;
  const instant = new Date(local.getTime() - offset);
  if (instant.getUTCFullYear() < 1 || instant.getUTCFullYear() > 9_999) return null;
  return `${instant.toISOString().slice(0, 19)}.${fraction.slice(0, 9).padEnd(9, '0')}Z` as EventTime;
}

/** The instant as a `Date`, cut to milliseconds. */
export function dateOf(at: EventTime): Date {
  return new Date(`${at.slice(0, 23)}Z`);
}

/** An instant that lies at least so much before another. */
export function before(at: EventTime, ms: number): EventTime {
  const instant = new Date(Math.max(dateOf(at).getTime() - ms, FIRST_MS));
  return `${instant.toISOString().slice(0, 23)}000000Z` as EventTime;
}

const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');

export function earlier<Time extends EventTime | null>(a: Time, b: Time): Time {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

export function later<Time extends EventTime | null>(a: Time, b: Time): Time {
  if (a === null || b === null) return a ?? b;
  return a < b ? b : a;
}

function offsetMs(zone: string): number | null {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
