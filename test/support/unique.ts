import { randomUUID } from 'node:crypto';

/** A prefix for the ids of one file: files run in parallel on one graph, which may hold what earlier runs have left. */
export function uniquePrefix(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`;
}
