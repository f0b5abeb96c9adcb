import neo4j, { type Driver, type ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import {
  HOLD_ALL_LINEAGE,
  HOLD_LINEAGE_POSITION,
  MOVE_LINEAGE_POSITION,
  READ_LINEAGE_POSITION,
  REMOVE_LINEAGE_RECORDS,
  WRITE_LINEAGE_RECORDS,
} from '#graph-schema';
import { BatchRefused, type RefusedItem } from './batch-refused.js';
import { inChangeTransaction } from './change-transaction.js';
import type { WriteContext } from './graph-store.js';
import { TransactionHoldings } from './lineage-holdings.js';
import type { InboxCursor, LineageHoldings, LineageRecords, LineageStore, LineageWrite } from './lineage-store.js';
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
        written = await project(new TransactionHoldings(tx));
        const { inboxId, upTo, fence } = cursor;
        const place = { inbox: inboxId, position: neo4j.int(upTo), fence: neo4j.int(fence) };
        await tx.run(MOVE_LINEAGE_POSITION, place);
        return { sequence: await writeAll(tx, written, context, { changeId, now: this.#now() }) };
      },
      TIMEOUT_MS,
    );
    if (sequence !== null) this.#onCommit(sequence);
    return sequence;
  }

  look<T>(read: (holdings: LineageHoldings) => Promise<T>): Promise<T> {
    return inReadTransaction(this.#driver, (tx) => read(new TransactionHoldings(tx)));
  }

  async revise(
    revise: (holdings: LineageHoldings) => Promise<LineageWrite>,
    context: WriteContext,
  ): Promise<number | null> {
    const { sequence } = await inChangeTransaction(
      this.#driver,
      async (tx, changeId) => {
        await tx.run(HOLD_ALL_LINEAGE);
        const written = await revise(new TransactionHoldings(tx));
        return { sequence: await writeAll(tx, written, context, { changeId, now: this.#now() }) };
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
  { records, removed, batch }: LineageWrite,
  context: WriteContext,
  { changeId, now }: { readonly changeId: string; readonly now: Date },
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
  if (removed.length > 0) await tx.run(REMOVE_LINEAGE_RECORDS, { keys: removed });
  return applyPlan(tx, input, plan, context, { purgesHistory: false });
}

/** What a user has deleted before the projection would, or purged before retention: it is as it should be. */
function isGone({ list, refusal }: RefusedItem): boolean {
  return (list === 'deletions' || list === 'purges') && refusal.code === 'NOT_FOUND';
}
