import { randomUUID } from 'node:crypto';
import { setTimeout as timer } from 'node:timers/promises';
import neo4j, { type Driver, type ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import {
  FORGET_REQUESTS,
  LOCK_RETENTION,
  READ_CHANGES,
  READ_CHANGES_BY_ID,
  READ_HEAD,
  READ_LATEST_CHANGE,
  READ_OLDEST,
  READ_OLDEST_CHANGES,
  REMOVE_CHANGES,
} from '#graph-schema';
import { unpackItems } from './change-items.js';
import { type Change, type ChangeLog, type HistoryEntry, IDEMPOTENCY_WINDOW_HOURS } from './graph-store.js';
import { inReadTransaction, inWriteTransaction } from './neo4j-session.js';
import { fromNeo4j, toNeo4j } from './property-values.js';

/** Changes that one transaction of the retention removes. */
const PRUNE_STEP = 500;

/** Characters of JSON that one read returns, but for the change that goes past it. */
const READ_SIZE = 8 * 1024 * 1024;

/**
 * Looks for a change that is counted and cannot be read yet, and the pause between two. Neo4j takes milliseconds to apply a commit;
 * after all of them the counter itself is wrong, and nobody is to wait for it.
 */
const LOOKS = 50;
const PAUSE_MS = 5;

const HOUR_MS = 3_600_000;

type Row = { get(key: string): unknown };

/** ChangeLog on Neo4j. */
export class Neo4jChangeLog implements ChangeLog {
  readonly #driver: Driver;
  readonly #now: () => Date;

  constructor(driver: Driver, options: { now?: () => Date } = {}) {
    this.#driver = driver;
    this.#now = options.now ?? (() => new Date());
  }

  async head(): Promise<number> {
    const { counted, sequence } = await inReadTransaction(this.#driver, readHead);
    let readable = sequence;
    for (let look = 1; readable < counted && look < LOOKS; look += 1) {
      await timer(PAUSE_MS);
      readable = (await inReadTransaction(this.#driver, readHead)).sequence;
    }
    return readable;
  }

  oldest(): Promise<number> {
    return inReadTransaction(this.#driver, readOldest);
  }

  read(range: { after: number; upTo: number; limit: number }): Promise<Change[]> {
    return inReadTransaction(this.#driver, async (tx) => {
      const found = await tx.run(READ_CHANGES, {
        after: neo4j.int(range.after),
        upTo: neo4j.int(range.upTo),
        limit: neo4j.int(range.limit),
        maxSize: neo4j.int(READ_SIZE),
      });
      // Read-committed: what retention removes meanwhile can be missing anywhere, so only what follows without a gap counts.
      const changes: Change[] = [];
      for (const row of found.records) {
        if (row.get('sequence') !== range.after + changes.length + 1) break;
        changes.push(await changeOf(row));
      }
      if (changes.length === 0) await refuseExpired(tx, range.after);
      return changes;
    });
  }

  history(urn: string, page: { limit: number; before?: string | undefined }): Promise<HistoryEntry[]> {
    return inReadTransaction(this.#driver, async (tx) => {
      let read = 0;
      const entryOf = async (id: string | null): Promise<HistoryEntry | undefined> => {
        const found = id === null ? undefined : await findChange(tx, id);
        read += found?.size ?? 0;
        return found && entryIn(found, urn);
      };
      const entries: HistoryEntry[] = [];
      let next =
        page.before === undefined
          ? await readLatestChange(tx, urn)
          : ((await entryOf(page.before))?.item.previous ?? null);
      while (entries.length < page.limit && (entries.length === 0 || read < READ_SIZE)) {
        const entry = await entryOf(next);
        if (entry === undefined) break;
        entries.push(entry);
        next = entry.item.previous;
      }
      return entries;
    });
  }

  async prune(olderThan: Date): Promise<number> {
    let removed = 0;
    for (;;) {
      const step = await inWriteTransaction(this.#driver, (tx) => pruneStep(tx, olderThan));
      removed += step;
      if (step < PRUNE_STEP) break;
    }
    await this.#forgetRequests();
    return removed;
  }

  async #forgetRequests(): Promise<void> {
    const before = toNeo4j(new Date(this.#now().getTime() - IDEMPOTENCY_WINDOW_HOURS * HOUR_MS));
    for (;;) {
      const result = await inWriteTransaction(this.#driver, (tx) =>
        tx.run<{ removed: number }>(FORGET_REQUESTS, { before }),
      );
      if ((result.records[0]?.get('removed') ?? 0) === 0) return;
    }
  }
}

async function readHead(tx: ManagedTransaction): Promise<{ counted: number; sequence: number }> {
  const result = await tx.run<{ counted: number; sequence: number }>(READ_HEAD);
  const row = result.records[0];
  if (row === undefined) throw new AppError('INTERNAL_SERVER_ERROR', 'the graph has no change log: run its migrations');
  return row.toObject();
}

async function readOldest(tx: ManagedTransaction): Promise<number> {
  const result = await tx.run<{ sequence: number }>(READ_OLDEST);
  return result.records[0]?.get('sequence') ?? (await readHead(tx)).sequence + 1;
}

async function refuseExpired(tx: ManagedTransaction, after: number): Promise<void> {
  const oldest = await readOldest(tx);
  if (after + 1 >= oldest) return;
  throw new AppError('CURSOR_EXPIRED', `the change log no longer has the changes before ${oldest}`, {
    details: { oldest },
  });
}

async function readLatestChange(tx: ManagedTransaction, urn: string): Promise<string | null> {
  const result = await tx.run<{ id: string | null }>(READ_LATEST_CHANGE, { urn });
  return result.records[0]?.get('id') ?? null;
}

async function findChange(tx: ManagedTransaction, id: string): Promise<Change | undefined> {
  const result = await tx.run(READ_CHANGES_BY_ID, { ids: [id] });
  const row = result.records[0];
  return row && changeOf(row);
}

function entryIn({ items, size: _, ...change }: Change, urn: string): HistoryEntry | undefined {
  const item = items.find((candidate) => candidate.urn === urn && candidate.to === undefined);
  return item && { change, item };
}

async function pruneStep(tx: ManagedTransaction, olderThan: Date): Promise<number> {
  await tx.run(LOCK_RETENTION, { lockedBy: randomUUID() });
  const oldest = await tx.run(READ_OLDEST_CHANGES, { limit: neo4j.int(PRUNE_STEP) });
  const young = oldest.records.findIndex((row) => (fromNeo4j(row.get('at')) as Date) >= olderThan);
  const count = young === -1 ? oldest.records.length : young;
  const last = oldest.records[count - 1];
  if (last !== undefined) await tx.run(REMOVE_CHANGES, { upTo: neo4j.int(last.get('sequence') as number) });
  return count;
}

async function changeOf(row: Row): Promise<Change> {
  return {
    sequence: row.get('sequence') as number,
    id: row.get('id') as string,
    at: fromNeo4j(row.get('at')) as Date,
    actor: row.get('actor') as string,
    runId: row.get('runId') as string | null,
    ...(await unpackItems(row.get('items'))),
  };
}
