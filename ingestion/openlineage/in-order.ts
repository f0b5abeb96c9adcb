/** A record whose members stand in the order of their keys, so that equal ones print alike. */
export function inOrder<T>(members: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}
