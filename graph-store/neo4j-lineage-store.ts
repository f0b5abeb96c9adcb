import neo4j, { type Driver, type ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import {
  HOLD_LINEAGE_POSITION,
  MOVE_LINEAGE_POSITION,
  READ_LINEAGE_POSITION,
  READ_LINEAGE_RECORDS,
  READ_LINEAGE_STRETCHES,
  WRITE_LINEAGE_RECORDS,
} from '#graph-schema';
import { BatchRefused, type RefusedItem } from './batch-refused.js';
import { inChangeTransaction } from './change-transaction.js';
import type { WriteContext } from './graph-store.js';
import type {
  InboxCursor,
  LineageRecord,
  LineageRecords,
  LineageStore,
  LineageWrite,
  Stretch,
  StretchRecords,
} from './lineage-store.js';
import type { Neo4jGraphStoreOptions } from './neo4j-graph-store.js';
import { inReadTransaction } from './neo4j-session.js';
import { unboundedChunk } from './split-batch.js';
import { applyPlan, planChunk } from './write-transaction.js';

/** A batch of events touches more than a batch of rows; Neo4j ends what takes longer. */
const TIMEOUT_MS = 60_000;

/** LineageStore on Neo4j, by the same locks, plans and change log as GraphStore. */
export class Neo4jLineageStore implements LineageStore {
  readonly #driver: Driver;
  readonly #now: () => Date;
  readonly #onCommit: (sequence: number) => void;

  constructor(driver: Driver, options: Neo4jGraphStoreOptions = {}) {
    this.#driver = driver;
    this.#now = options.now ?? (() => new Date());
    this.#onCommit = options.onCommit ?? (() => undefined);
  }

  async position(inboxId: string): Promise<number> {
    return inReadTransaction(this.#driver, async (tx) => {
      const { records } = await tx.run<{ position: number }>(READ_LINEAGE_POSITION, { inbox: inboxId });
      return records[0]?.get('position') ?? 0;
    });
  }

  async write(
    cursor: InboxCursor,
    project: (records: LineageRecords) => Promise<LineageWrite>,
    context: WriteContext,
  ): Promise<number | null> {
    let written: LineageWrite | undefined;
    const { sequence } = await inChangeTransaction(
      this.#driver,
      async (tx, changeId) => {
        const isDone = await holdPosition(tx, cursor, written !== undefined);
        if (isDone) return { sequence: null };
        written = await project(new TransactionRecords(tx));
        return { sequence: await writeAll(tx, written, context, changeId, this.#now(), cursor) };
      },
      TIMEOUT_MS,
    );
    if (sequence !== null) this.#onCommit(sequence);
    return sequence;
  }
}

/**
 * @param isRepeat whether an earlier attempt came as far as writing
 * @returns whether that attempt was committed: it changed nothing that the log would tell of
 * @throws AppError CONFLICT
 */
async function holdPosition(tx: ManagedTransaction, cursor: InboxCursor, isRepeat: boolean): Promise<boolean> {
  const { records } = await tx.run<{ position: number; fence: number }>(HOLD_LINEAGE_POSITION, {
    inbox: cursor.inboxId,
  });
  const position = records[0]?.get('position') ?? 0;
  const fence = records[0]?.get('fence') ?? 0;
  if (isRepeat && position === cursor.upTo && fence === cursor.fence) return true;
  if (fence <= cursor.fence && position === cursor.after) return false;
  throw new AppError('CONFLICT', 'the graph has other events of this inbox by now: read on from its position', {
    details: { position, fence, expected: cursor.after },
  });
}

async function writeAll(
  tx: ManagedTransaction,
  { records, batch }: LineageWrite,
  context: WriteContext,
  changeId: string,
  now: Date,
  { inboxId, upTo, fence }: InboxCursor,
): Promise<number | null> {
  const { input, plan } = await planChunk(tx, unboundedChunk(batch), {
    missingEnds: 'create',
    refusedEntities: new Set(),
    changeId,
    now,
  });
  const [first, ...others] = plan.refused.filter((item) => !isGone(item));
  if (first !== undefined) throw new BatchRefused([first, ...others]);
  const rows = records.map(({ key, place, data }) => [
    key,
    place?.series ?? null,
    place?.first ?? null,
    place?.last ?? null,
    data,
  ]);
  if (rows.length > 0) await tx.run(WRITE_LINEAGE_RECORDS, { rows });
  await tx.run(MOVE_LINEAGE_POSITION, { inbox: inboxId, position: neo4j.int(upTo), fence: neo4j.int(fence) });
  return applyPlan(tx, input, plan, context);
}

/** What a user has deleted before the projection would: it is as it should be. */
function isGone({ list, refusal }: RefusedItem): boolean {
  return list === 'deletions' && refusal.code === 'NOT_FOUND';
}

type StoredRecord = [key: string, series: string | null, first: string | null, last: string | null, data: string];

class TransactionRecords implements LineageRecords {
  readonly #tx: ManagedTransaction;

  constructor(tx: ManagedTransaction) {
    this.#tx = tx;
  }

  async get(keys: Iterable<string>): Promise<ReadonlyMap<string, LineageRecord>> {
    const asked = [...new Set(keys)];
    if (asked.length === 0) return new Map();
    const { records } = await this.#tx.run<{ record: StoredRecord }>(READ_LINEAGE_RECORDS, { keys: asked });
    return new Map(records.map((row) => [row.get('record')[0], recordOf(row.get('record'))]));
  }

  async around(stretches: readonly Stretch[], reach: number): Promise<readonly StretchRecords[]> {
    if (stretches.length === 0) return [];
    const { records } = await this.#tx.run<{ within: StoredRecord[]; before: StoredRecord[]; after: StoredRecord[] }>(
      READ_LINEAGE_STRETCHES,
      { rows: stretches, reach: neo4j.int(reach) },
    );
    return records.map((row) => ({
      within: row.get('within').map(recordOf),
      before: row.get('before').map(recordOf),
      after: row.get('after').map(recordOf),
    }));
  }
}

function recordOf([key, series, first, last, data]: StoredRecord): LineageRecord {
  const place = series === null || first === null || last === null ? null : { series, first, last };
  return { key, place, data };
}
