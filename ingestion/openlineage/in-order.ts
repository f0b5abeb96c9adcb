/** A record whose members stand in the order of their keys, so that equal ones print alike. */
export function inOrder<T>(members: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The members of both, in order; what both have is merged. Of things that are told again mostly all are known. */
export function mergeInOrder<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  merge: (a: T, b: T) => T,
): Readonly<Record<string, T>> {
  const mergedWith = (key: string, member: T): T => (Object.hasOwn(b, key) ? merge(member, b[key] as T) : member);
  const members = Object.keys(a).map((key) => [key, mergedWith(key, a[key] as T)] as const);
  const added = Object.keys(b).filter((key) => !Object.hasOwn(a, key));
  if (added.length === 0) return Object.fromEntries(members);
  return inOrder([...members, ...added.map((key) => [key, b[key] as T] as const)]);
}

/** The members of all, in order; those of one key are merged. */
export function mergeAllInOrder<T>(
  records: readonly Readonly<Record<string, T>>[],
  merge: (a: T, b: T) => T,
): Readonly<Record<string, T>> {
  const merged = new Map<string, T>();
  for (const record of records) {
    for (const key of Object.keys(record)) {
      const member = record[key] as T;
      const held = merged.get(key);
      merged.set(key, held === undefined ? member : merge(held, member));
    }
  }
  return inOrder(merged);
}
