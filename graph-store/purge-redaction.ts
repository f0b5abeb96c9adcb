import neo4j, { type ManagedTransaction } from 'neo4j-driver';
import { LATEST_CHANGES, LOCK_RETENTION, READ_CHANGE_SIZES, READ_CHANGES_BY_ID, REWRITE_CHANGES } from '#graph-schema';
import { packItems, unpackItems } from './change-items.js';

/** Characters of JSON that are read and written at once, but for the change that goes past it. */
const SLICE_SIZE = 8 * 1024 * 1024;

/**
 * Takes out of the change log what it says about the properties of nodes that are to be purged, and of their edges. It
 * follows their chains, so the cost is that of their history and not of the log.
 */
export async function redactPurged(tx: ManagedTransaction, urns: readonly string[], lockedBy: string): Promise<void> {
  await tx.run(LOCK_RETENTION, { lockedBy });
  const purged = new Set(urns);
  const seen = new Set<string>();
  const latest = await tx.run<{ change: string }>(LATEST_CHANGES, { urns });
  let ids = latest.records.map((row) => row.get('change'));
  while (ids.length > 0) {
    for (const id of ids) seen.add(id);
    const previous = new Set<string>();
    for (const slice of await slicesOf(tx, ids)) {
      for (const id of await redact(tx, slice, purged)) if (!seen.has(id)) previous.add(id);
    }
    ids = [...previous];
  }
}

/** Those of the changes that are still there. */
async function slicesOf(tx: ManagedTransaction, ids: readonly string[]): Promise<string[][]> {
  const found = await tx.run<{ id: string; size: number }>(READ_CHANGE_SIZES, { ids });
  const slices: string[][] = [];
  let left = 0;
  for (const row of found.records) {
    if (left <= 0) {
      slices.push([]);
      left = SLICE_SIZE;
    }
    slices.at(-1)?.push(row.get('id'));
    left -= row.get('size');
  }
  return slices;
}

/** @returns the changes before these in the chains of what is purged */
async function redact(
  tx: ManagedTransaction,
  ids: readonly string[],
  purged: ReadonlySet<string>,
): Promise<Set<string>> {
  const found = await tx.run<{ id: string; items: unknown }>(READ_CHANGES_BY_ID, { ids });
  const previous = new Set<string>();
  const rewritten = found.records.map(async (row) => {
    const { items } = await unpackItems(row.get('items'));
    const redacted = items.map((item) => {
      if (!purged.has(item.urn) && !(item.to !== undefined && purged.has(item.to))) return item;
      if (item.previous !== null) previous.add(item.previous);
      return { ...item, before: {}, after: {} };
    });
    const kept = await packItems(redacted);
    return { id: row.get('id'), items: kept.items, size: neo4j.int(kept.size) };
  });
  await tx.run(REWRITE_CHANGES, { rows: await Promise.all(rewritten) });
  return previous;
}
