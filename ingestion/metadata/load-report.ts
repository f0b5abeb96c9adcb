import type { ErrorCode } from '#errors';
import type { EntityOutcome, KnowledgeReceipt, LinkOutcome, Refusal, WriteOutcome } from '#graph-store';

/** Why one row was refused. */
export interface RowError {
  /** Place in the body, from 1; of NDJSON the number of the line. */
  readonly row: number;
  readonly code: ErrorCode;
  /** Path within the row, for instance `properties.rowCount`; empty for the row as a whole. */
  readonly field: string;
  readonly message: string;
}

/** What became of the rows of a body or file. */
export interface LoadReport {
  /** Of the last change that was made; null when nothing changed. */
  readonly sequence: number | null;
  readonly rows: number;
  readonly counts: Readonly<Record<Exclude<WriteOutcome, 'purged'>, number>>;
  readonly transactions: number;
  /** True when every transaction had been made before, under the same idempotency key. */
  readonly replayed: boolean;
  /** By row. */
  readonly errors: readonly RowError[];
  readonly errorsOmitted: number;
}

/** Adds up what becomes of the rows while they are written. */
export class LoadTally {
  readonly #counts = { created: 0, updated: 0, deleted: 0, revived: 0, unchanged: 0, refused: 0 };
  readonly #errors: RowError[] = [];
  readonly #maxErrors: number;
  #sequence: number | null = null;
  #transactions = 0;
  #writes = 0;
  #replays = 0;
  #omitted = 0;

  /** @param maxErrors errors to keep; more are counted */
  constructor(maxErrors: number) {
    this.#maxErrors = maxErrors;
  }

  get transactions(): number {
    return this.#transactions;
  }

  refuse(row: number, { code, field, message }: Refusal): void {
    this.#counts.refused += 1;
    if (this.#errors.length < this.#maxErrors) this.#errors.push({ row, code, field, message });
    else this.#omitted += 1;
  }

  /** Rows that were not written because others of an atomic request were refused. */
  holdBack(rows: number): void {
    this.#counts.refused += rows;
  }

  receive(receipt: KnowledgeReceipt): void {
    this.#writes += 1;
    this.#transactions += receipt.transactions;
    if (receipt.replayed) this.#replays += 1;
    if (receipt.sequence !== null) this.#sequence = Math.max(this.#sequence ?? 0, receipt.sequence);
  }

  result(row: number, { outcome, refusal }: EntityOutcome | LinkOutcome): void {
    if (refusal !== undefined) this.refuse(row, refusal);
    else if (outcome !== 'purged') this.#counts[outcome] += 1;
  }

  report(): LoadReport {
    return {
      sequence: this.#sequence,
      rows: Object.values(this.#counts).reduce((sum, count) => sum + count, 0),
      counts: { ...this.#counts },
      transactions: this.#transactions,
      replayed: this.#writes > 0 && this.#replays === this.#writes,
      errors: this.#errors.toSorted((a, b) => a.row - b.row),
      errorsOmitted: this.#omitted,
    };
  }
}
