import { createHash } from 'node:crypto';
import type { LineageRecord, LineageRecords, Stretch } from '#graph-store';

/** One kind of record: what it is called in keys, and what it holds. Only this room writes records, so they are trusted. */
export interface RecordKind<T> {
  readonly name: string;
  /** Where a record lies in a series; left out for kinds that are found by their keys alone. */
  readonly place?: (value: T) => LineageRecord['place'];
  /** How it is kept, where that is not as it is used. */
  readonly form?: RecordForm<T>;
}

/** As much of a kind as reading takes, whatever it holds. */
interface ReadableKind {
  readonly name: string;
  readonly form?: Pick<RecordForm<unknown>, 'read'>;
}

interface RecordForm<T> {
  /** What is kept of a value, to be printed as JSON: equal values give equal texts. */
  readonly keep: (value: T) => unknown;
  /** The value again, from what was printed. */
  readonly read: (kept: unknown) => T;
}

interface Entry {
  readonly value: unknown;
  readonly record: LineageRecord;
  readonly isChanged: boolean;
}

/** What is remembered around a stretch of a series, with what this write has changed. */
export interface Neighbourhood<T> {
  readonly values: readonly T[];
  /** Nothing that ends later than this, and before the stretch, is left out; null when nothing at all is. */
  readonly wholeSince: string | null;
  /** Nothing that begins earlier than this, and after the stretch, is left out; null when nothing at all is. */
  readonly wholeUntil: string | null;
}

/** A stretch, with what around it matters. */
export interface Asked<T> extends Stretch {
  /** Must hold where nothing is left out. What lies at the time of `wholeSince` or `wholeUntil` may be there in part. */
  readonly isEnough: (near: Neighbourhood<T>) => boolean;
}

/**
 * Most ask for nothing but what lies in the stretch, or for the one before, which is known to be the latest once another one lies
 * before it; those that ask for more are told more, until it is enough. Records are large, so none is read in vain.
 */
const FIRST_REACH = 2;
const REACH_GROWTH = 8;

/** The records that one write reads and changes; each is read once, and written when it has become another. */
export class RecordBook {
  readonly #source: LineageRecords;
  readonly #entries = new Map<string, Entry>();
  readonly #absent = new Set<string>();
  readonly #removed = new Set<string>();
  /** By series, the keys of records that this write has put there. */
  readonly #changedIn = new Map<string, Set<string>>();

  constructor(source: LineageRecords) {
    this.#source = source;
  }

  /** Reads what `get` is going to be asked for. */
  async load(asked: Iterable<readonly [kind: ReadableKind, key: string]>): Promise<void> {
    const kinds = new Map<string, ReadableKind>();
    for (const [kind, key] of asked) {
      const full = keyOf(kind, key);
      if (!this.#knows(full)) kinds.set(full, kind);
    }
    const found = await this.#source.get(kinds.keys());
    for (const [key, kind] of kinds) {
      const record = found.get(key);
      if (record === undefined) this.#absent.add(key);
      else this.#keep(record, kind);
    }
  }

  /** @throws TypeError when it was not loaded */
  get<T>(kind: RecordKind<T>, key: string): T | undefined {
    const full = keyOf(kind, key);
    if (!this.#knows(full)) throw new TypeError(`${full} was not loaded`);
    return this.#entries.get(full)?.value as T | undefined;
  }

  put<T>(kind: RecordKind<T>, key: string, value: T): void {
    const full = keyOf(kind, key);
    const held = this.#entries.get(full);
    const data = JSON.stringify(kind.form === undefined ? value : kind.form.keep(value));
    const told = kind.place?.(value) ?? null;
    const place = told && { ...told, series: shortened(told.series) };
    if (held?.record.data === data && samePlace(held.record.place, place)) return;
    this.#removed.delete(full);
    this.#entries.set(full, { value, record: { key: full, place, data }, isChanged: true });
    if (place === null) return;
    const keys = this.#changedIn.get(place.series) ?? new Set();
    this.#changedIn.set(place.series, keys.add(full));
  }

  remove(kind: ReadableKind, key: string): void {
    const full = keyOf(kind, key);
    this.#entries.delete(full);
    this.#absent.add(full);
    this.#removed.add(full);
  }

  /** What was read otherwise, as if it had been loaded. */
  hold<T>(kind: RecordKind<T>, records: readonly LineageRecord[]): readonly T[] {
    return records.map((record) => this.#keep(record, kind).value as T);
  }

  /** What lies in stretches, each of which begins with its `since`. */
  async within<T>(kind: RecordKind<T>, stretches: readonly Stretch[]): Promise<readonly (readonly T[])[]> {
    const near = await this.#near(kind, stretches, 0);
    return near.map(({ values }) => values);
  }

  /** What lies in stretches and around them, as far as is asked for. */
  async around<T>(
    kind: RecordKind<T>,
    asked: readonly Asked<T>[],
    reach = FIRST_REACH,
  ): Promise<readonly Neighbourhood<T>[]> {
    const near = await this.#near(kind, asked, reach);
    const lacking = near.flatMap((here, index) => {
      const question = asked[index];
      return question === undefined || question.isEnough(here) ? [] : [{ question, index }];
    });
    if (lacking.length === 0) return near;
    const more = await this.around(
      kind,
      lacking.map(({ question }) => question),
      reach * REACH_GROWTH,
    );
    const nearer = new Map(lacking.map(({ index }, place) => [index, more[place]]));
    return near.map((here, index) => nearer.get(index) ?? here);
  }

  async #near<T>(
    kind: RecordKind<T>,
    stretches: readonly Stretch[],
    reach: number,
  ): Promise<readonly Neighbourhood<T>[]> {
    const asked = stretches.map(({ series, from, to, since }) => ({ series: shortened(series), from, to, since }));
    const found = await this.#source.around(asked, reach);
    return asked.map(({ series }, index) => {
      const { within = [], before = [], after = [] } = found[index] ?? {};
      const records = new Map<string, Entry>();
      for (const record of [...within, ...before, ...after]) records.set(record.key, this.#keep(record, kind));
      for (const key of this.#changedIn.get(series) ?? []) {
        const entry = this.#entries.get(key);
        if (entry !== undefined) records.set(key, entry);
      }
      const inSeries = [...records.values()].filter(({ record }) => record.place?.series === series);
      return {
        values: inSeries.map(({ value }) => value as T),
        wholeSince: before.length < reach ? null : (before.at(-1)?.place?.last ?? null),
        wholeUntil: after.length < reach ? null : (after.at(-1)?.place?.first ?? null),
      };
    });
  }

  changed(): LineageRecord[] {
    return [...this.#entries.values()].filter(({ isChanged }) => isChanged).map(({ record }) => record);
  }

  /** Keys of what is to be removed. */
  removed(): string[] {
    return [...this.#removed];
  }

  #knows(key: string): boolean {
    return this.#entries.has(key) || this.#absent.has(key);
  }

  /** What this write has changed stands. */
  #keep(record: LineageRecord, { form }: ReadableKind): Entry {
    const held = this.#entries.get(record.key);
    if (held !== undefined) return held;
    const kept: unknown = JSON.parse(record.data);
    const entry = { value: form === undefined ? kept : form.read(kept), record, isChanged: false };
    this.#entries.set(record.key, entry);
    return entry;
  }
}

function keyOf(kind: ReadableKind, key: string): string {
  return shortened(`${kind.name} ${key}`);
}

/** Neo4j refuses index keys of more than about 8,000 bytes, and two urns can be longer. */
const LONGEST = 1_000;

function shortened(text: string): string {
  return text.length <= LONGEST ? text : createHash('sha256').update(text).digest('base64url');
}

function samePlace(a: LineageRecord['place'], b: LineageRecord['place']): boolean {
  return a?.series === b?.series && a?.first === b?.first && a?.last === b?.last;
}
