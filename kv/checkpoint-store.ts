import { AppError, InputError } from '#errors';
import { parseCheckpointKey } from './checkpoint-key.js';
import {
  type CheckpointValue,
  checkpointValueSchema,
  type StoredCursor,
  storedCursorSchema,
} from './checkpoint-value.js';
import { checkCursorValue, fallsBelow } from './cursor-order.js';
import type { JsonValue, KeyValueStore, VersionedValue } from './key-value-store.js';
import { KeyValueStoreError } from './key-value-store-error.js';

/** A checkpoint as read. Before the first commit: version 0, generation 1, and null for the rest. */
export type StoredCheckpoint = {
  version: number;
  generation: number;
  cursor: StoredCursor | null;
  lastRunId: string | null;
  stats: JsonValue;
};

export type CheckpointCommit = {
  runId: string;
  /** The version that the run started from. */
  expectedVersion: number;
  /** The new watermark; null keeps the stored one (zero rows read, or a full unit). */
  cursor: StoredCursor | null;
  stats: JsonValue;
};

export type CheckpointCommitResult =
  | { ok: true; version: number /** false when this run's commit was there already */; changed: boolean }
  | { ok: false; reason: 'stale' | 'not-monotone'; current: StoredCheckpoint };

/** Fields that must agree before two cursor values can be compared (rule R7). */
const COMPARABLE_BY = ['field', 'sqlType', 'family', 'timeZone', 'precision'] as const;

/** The new cursor is of another kind than the stored one, so no order exists between them (rule R7). */
export class CheckpointMismatchError extends AppError {
  override readonly name = 'CheckpointMismatchError';

  constructor(key: string, field: (typeof COMPARABLE_BY)[number], stored: string | number, given: string | number) {
    super(
      'CONFLICT',
      `the checkpoint was made with cursor ${field} "${stored}", the run delivers "${given}"; ` +
        'define the unit as it was, or define a new unit with a new target to read from the start',
      { details: { key, field: `cursor.${field}`, stored, given } },
    );
  }
}

/**
 * Checkpoints with the rules of when they may move: a commit is compare-and-set on the version (R10), never lowers the
 * watermark within a generation (R10), keeps the cursor when there is no new one (R6), and is idempotent on the run id.
 * A run commits once, at its end.
 */
export class CheckpointStore {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /**
   * @param key made by `checkpointKey`
   * @throws InputError when the key is no checkpoint key
   * @throws KeyValueStoreError with reason `corrupt` when what is stored is no checkpoint
   */
  async load(key: string): Promise<StoredCheckpoint> {
    parseCheckpointKey(key);
    const entry = await this.#store.get(key);
    if (entry === undefined) return { version: 0, generation: 1, cursor: null, lastRunId: null, stats: null };
    return { ...decode(key, entry), version: entry.version };
  }

  /**
   * Moves the checkpoint to where the run has come. `stale`: another run has committed since `expectedVersion`.
   * `not-monotone`: the cursor is below the stored one. Nothing is written in either case.
   * @throws CheckpointMismatchError when the cursor is of another kind than the stored one
   * @throws InputError when the key or the cursor breaks the contract
   */
  async commit(key: string, commit: CheckpointCommit): Promise<CheckpointCommitResult> {
    checkCursor(commit.cursor);
    const current = await this.load(key);
    if (current.lastRunId === commit.runId) return { ok: true, changed: false, ...current };
    if (current.version !== commit.expectedVersion) return { ok: false, reason: 'stale', current };
    if (isBelow(key, commit.cursor, current.cursor)) return { ok: false, reason: 'not-monotone', current };

    const value: CheckpointValue = {
      lastRunId: commit.runId,
      generation: current.generation,
      cursor: commit.cursor ?? current.cursor,
      stats: commit.stats,
    };
    const written = await this.#store.put(key, value, { ifVersion: current.version });
    if (written.ok) return { ok: true, changed: true, ...value, version: written.version };

    // Lost the race between the read and the write: to another run, or to another attempt of this very run.
    const winner = await this.load(key);
    if (winner.lastRunId === commit.runId) return { ok: true, changed: false, ...winner };
    return { ok: false, reason: 'stale', current: winner };
  }
}

function decode(key: string, entry: VersionedValue): CheckpointValue {
  const parsed = checkpointValueSchema.safeParse(entry.value);
  if (parsed.success) return parsed.data;
  throw new KeyValueStoreError('corrupt', 'the stored value is not a checkpoint; restore it or delete the key', {
    key,
    cause: parsed.error,
  });
}

function checkCursor(cursor: StoredCursor | null): void {
  if (cursor === null) return;
  const parsed = storedCursorSchema.safeParse(cursor);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = ['cursor', ...(issue?.path ?? [])].join('.');
    throw InputError.one('BAD_USER_INPUT', field, issue?.message ?? 'is not valid');
  }
  checkCursorValue(cursor.family, cursor.value);
}

function isBelow(key: string, next: StoredCursor | null, stored: StoredCursor | null): boolean {
  if (next === null || stored === null) return false;
  for (const field of COMPARABLE_BY) {
    if (next[field] !== stored[field]) throw new CheckpointMismatchError(key, field, stored[field], next[field]);
  }
  return fallsBelow(stored.family, next.value, stored.value);
}
