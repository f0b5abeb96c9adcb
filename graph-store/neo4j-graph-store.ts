import type { Driver, ManagedTransaction } from 'neo4j-driver';
import { refusedOnSight } from './batch-check.js';
import { BatchRefused, type RefusedItem } from './batch-refused.js';
import { inChangeTransaction } from './change-transaction.js';
import type {
  EdgeUpsert,
  EntityUpsert,
  GraphBatch,
  GraphStore,
  WriteContext,
  WriteOptions,
  WriteReceipt,
} from './graph-store.js';
import { type Chunk, splitBatch, wholeBatch } from './split-batch.js';
import { unchangedResults } from './unchanged-chunk.js';
import type { PlanInput } from './write-plan.js';
import { WriteReceiptBuilder } from './write-receipt.js';
import {
  type ChunkAnswer,
  earlierAnswer,
  keepAnswer,
  requestHash,
  requestKey,
  type WriteRequest,
} from './write-request.js';
import { applyPlan, planChunk } from './write-transaction.js';

export interface Neo4jGraphStoreOptions {
  readonly now?: () => Date;
  /** Called with its sequence when a change of this process is committed, before the writer is answered. Must not throw. */
  readonly onCommit?: (sequence: number) => void;
}

interface ChunkWrite {
  readonly chunk: Chunk;
  readonly context: WriteContext;
  readonly atomic: boolean;
  readonly missingEnds: PlanInput['missingEnds'];
  readonly refusedEntities: ReadonlySet<string>;
  readonly request: WriteRequest | undefined;
}

type ChunkOutcome = ChunkAnswer & { readonly replayed: boolean };

/** Purging follows the whole history of what it removes. */
const PURGE_TIMEOUT_MS = 300_000;

/**
 * GraphStore on Neo4j. A transaction locks the nodes of its batch in urn order, compares what they hold with what is asked
 * for, writes only what differs and ends by taking the next number of the change log. Works on Community Edition.
 */
export class Neo4jGraphStore implements GraphStore {
  readonly #driver: Driver;
  readonly #now: () => Date;
  readonly #onCommit: (sequence: number) => void;

  constructor(driver: Driver, options: Neo4jGraphStoreOptions = {}) {
    this.#driver = driver;
    this.#now = options.now ?? (() => new Date());
    this.#onCommit = options.onCommit ?? (() => undefined);
  }

  upsertEntity(entity: EntityUpsert, context: WriteContext): Promise<WriteReceipt> {
    return this.write({ entities: [entity] }, context);
  }

  upsertEdge(edge: EdgeUpsert, context: WriteContext): Promise<WriteReceipt> {
    return this.write({ edges: [edge] }, context);
  }

  async write(batch: GraphBatch, context: WriteContext, options: WriteOptions = {}): Promise<WriteReceipt> {
    const { atomic = true, missingEnds = 'create', idempotencyKey } = options;
    const receipt = new WriteReceiptBuilder(batch);
    const chunks = atomic ? atomicChunks(batch) : independentChunks(batch, receipt);
    const hash = idempotencyKey === undefined ? undefined : requestHash(batch, { atomic, missingEnds });
    for (const [part, chunk] of chunks.entries()) {
      const request =
        idempotencyKey === undefined || hash === undefined
          ? undefined
          : { key: requestKey(context.actor, idempotencyKey, part), hash };
      const { refusedEntities } = receipt;
      const answer = await this.#writeChunk({ chunk, context, atomic, missingEnds, refusedEntities, request });
      receipt.add(answer, answer.replayed);
      if (answer.sequence !== null && !answer.replayed) this.#onCommit(answer.sequence);
    }
    return receipt.receipt();
  }

  #writeChunk(write: ChunkWrite): Promise<ChunkOutcome> {
    return inChangeTransaction(
      this.#driver,
      (tx, changeId) => writeInTransaction(tx, write, changeId, this.#now()),
      write.chunk.purges.length > 0 ? PURGE_TIMEOUT_MS : undefined,
    );
  }
}

async function writeInTransaction(
  tx: ManagedTransaction,
  { chunk, context, atomic, missingEnds, refusedEntities, request }: ChunkWrite,
  changeId: string,
  now: Date,
): Promise<ChunkOutcome> {
  if (request !== undefined) {
    const earlier = await earlierAnswer(tx, request, chunk, now);
    if (earlier !== undefined) return { ...earlier, replayed: true };
  }
  const settings = { missingEnds, refusedEntities, changeId, now };
  // What has a key leaves its answer behind, so it writes in any case.
  const unchanged = request === undefined ? await unchangedResults(tx, chunk, settings) : undefined;
  if (unchanged !== undefined) return { sequence: null, results: unchanged, replayed: false };
  const { input, plan } = await planChunk(tx, chunk, settings);
  if (atomic) throwRefused(plan.refused);
  const answer = { sequence: await applyPlan(tx, input, plan, context), results: plan.results };
  if (request !== undefined) await keepAnswer(tx, request, answer);
  return { ...answer, replayed: false };
}

function atomicChunks(batch: GraphBatch): Chunk[] {
  const chunk = wholeBatch(batch);
  throwRefused(refusedOnSight(batch));
  return [chunk];
}

function independentChunks(batch: GraphBatch, receipt: WriteReceiptBuilder): Chunk[] {
  for (const item of refusedOnSight(batch)) receipt.refuse(item);
  const { chunks, refused } = splitBatch(batch, (list, index) => receipt.isRefused(list, index));
  for (const item of refused) receipt.refuse(item);
  return chunks;
}

function throwRefused(refused: readonly RefusedItem[]): void {
  const [first, ...others] = refused;
  if (first !== undefined) throw new BatchRefused([first, ...others]);
}
