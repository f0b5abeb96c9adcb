/** A record whose members stand in the order of their keys, so that equal ones print alike. */
export function inOrder<T>(members: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The members of both, in order; what both have is merged. */
export function mergeInOrder<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  merge: (a: T, b: T) => T,
): Readonly<Record<string, T>> {
  const merged = new Map(Object.entries(a));
  for (const [key, member] of Object.entries(b)) {
    const held = merged.get(key);
    merged.set(key, held === undefined ? member : merge(held, member));
  }
  return inOrder(merged);
}
