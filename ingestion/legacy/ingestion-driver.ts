/**
 * Legacy. The in-process driver model that came before the Python data plane, kept for tests and for code that was written
 * against it. It never moves production rows: those go through `runIngestionUnit` in Python.
 */
export interface IngestionDriver {
  /** Records after the checkpoint, in cursor order, in batches. */
  read(checkpoint: string | null, signal: AbortSignal): AsyncIterable<LegacyBatch>;
}

export interface LegacyBatch {
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** Cursor of the last record of the batch. */
  readonly checkpoint: string;
}

/** Legacy, as `IngestionDriver`. */
export interface IngestionSink {
  /** Resolves when the records are durable; only then does the checkpoint move past them. */
  write(records: readonly Readonly<Record<string, unknown>>[], signal: AbortSignal): Promise<void>;
}
