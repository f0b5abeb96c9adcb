import { InputError } from '#errors';
import type {
  LineageEdge,
  LineageEdgeEnds,
  LineageEdgeRuns,
  LineageInterval,
  LineageManualEdit,
} from './lineage-types.js';

const INSTANT = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})(?:\[[^\]]+\])?$/;

/**
 * An instant as the validity of edges holds it: UTC, nine digits of fraction, so that text order is time order.
 *
 * @throws InputError naming `field` for a text that is no instant of the years 0000 to 9999
 */
export function sortableInstant(text: string, field: string): string {
  const [, seconds, fraction = '', zone] = INSTANT.exec(text) ?? [];
  const whole = seconds === undefined ? Number.NaN : Date.parse(`${seconds}${zone}`);
  const utc = Number.isNaN(whole) ? '' : new Date(whole).toISOString();
  if (utc.length !== '2024-05-01T10:00:00.000Z'.length) {
    throw InputError.one(
      'BAD_USER_INPUT',
      field,
      'must be an instant of ISO 8601 with a zone and at most nine digits of fraction, such as 2024-05-01T10:00:00.5Z',
    );
  }
  return `${utc.slice(0, 19)}.${fraction.padEnd(9, '0')}Z`;
}

/**
 * The times for which a stored edge was valid. Its deletion ends what was open.
 *
 * @param leg as the statements return it: validFrom|validTo|firstRuns|lastRuns|createdAt|deletedAt|manual, a blank before each value
 */
export function intervalsOf(leg: string): LineageInterval[] {
  const [validFrom = NONE, validTo = NONE, firstRuns = NONE, lastRuns = NONE, [createdAt] = NONE, [deletedAt] = NONE] =
    leg.split('|').map(valuesOf);
  const end = deletedAt === undefined ? null : sortableInstant(deletedAt, 'deletedAt');
  const begins =
    validFrom.length > 0 || createdAt === undefined ? validFrom : [sortableInstant(createdAt, 'createdAt')];
  return begins
    .map((from, index) => ({
      from,
      to: earlier(validTo[index] ?? null, end),
      ...asserters(firstRuns[index] ?? '', lastRuns[index] ?? ''),
    }))
    .filter(isNotEmpty);
}

const MANUAL = 'manual:';

const runOf = (text: string): string | null => (text === '' || text.startsWith(MANUAL) ? null : text);

function asserters(first: string, last: string): Omit<LineageInterval, 'from' | 'to'> {
  const actorOf = (text: string) => (text.startsWith(MANUAL) ? decodeURIComponent(text.slice(MANUAL.length)) : null);
  return { firstRun: runOf(first), lastRun: runOf(last), firstActor: actorOf(first), lastActor: actorOf(last) };
}

/** The latest edit that a leg tells of. It is the last part, since what people write may hold bars. */
function editOf(leg: string): LineageManualEdit | null {
  const text = leg.split('|').slice(6).join('|').slice(1);
  return text === '' ? null : (JSON.parse(text) as LineageManualEdit);
}

const NONE: readonly string[] = [];

const valuesOf = (part: string): readonly string[] => (part === '' ? NONE : part.slice(1).split(' '));

const isNotEmpty = ({ from, to }: { from: string; to: string | null }): boolean => to === null || from < to;

/** The times when both were valid, which name no runs: those belong to two jobs. */
export function intersection(left: readonly LineageInterval[], right: readonly LineageInterval[]): LineageInterval[] {
  return left
    .flatMap((a) => right.map((b) => ({ from: later(a.from, b.from), to: earlier(a.to, b.to) })))
    .filter(isNotEmpty)
    .sort((a, b) => (a.from < b.from ? -1 : 1))
    .map((interval) => ({ ...interval, ...asserters('', '') }));
}

const later = (a: string, b: string): string => {
  if (a < b) return b;
  return a;
};

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** @param legs the stored edges that make up this one: one, or the two halves of a `PASSES` */
export function edgeFromLegs(ends: LineageEdgeEnds, legs: readonly string[]): LineageEdge {
  const intervals = legs.map(intervalsOf).reduce(intersection);
  const last = intervals.at(-1);
  const edits = legs.map(editOf).filter((edit) => edit !== null);
  return {
    ...ends,
    current: last?.to === null,
    intervals,
    firstRun: intervals[0]?.firstRun ?? null,
    lastRun: last?.lastRun ?? null,
    manual: edits.sort((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
  };
}

/** @param leg the runs of a stored edge as the statements return them, the first and the last one with a blank between them; none of `PASSES` */
export function edgeFromRuns({ kind, from, to, via }: LineageEdgeEnds, leg: string | undefined): LineageEdgeRuns {
  const [first = '', last = ''] = leg?.split(' ') ?? [];
  return { kind, from, to, via, firstRun: runOf(first), lastRun: runOf(last) };
}
