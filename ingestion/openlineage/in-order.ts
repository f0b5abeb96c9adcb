/** A record whose members stand in the order of their keys, so that equal ones print alike. */
export function inOrder<T>(members: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The members of records that are in order themselves, in order; those of one key are merged, earlier records first. Of things that
 * are told again mostly all are known, so nothing is sorted where the first record has all keys.
 */
export function mergeInOrder<T>(
  records: readonly Readonly<Record<string, T>>[],
  merge: (a: T, b: T) => T,
): Readonly<Record<string, T>> {
  const [first = {}, ...others] = records;
  const merged = new Map(Object.entries(first));
  const known = merged.size;
  for (const record of others) {
    for (const key of Object.keys(record)) {
      const member = record[key] as T;
      const held = merged.get(key);
      merged.set(key, held === undefined ? member : merge(held, member));
    }
  }
  return merged.size === known ? Object.fromEntries(merged) : inOrder(merged);
}
