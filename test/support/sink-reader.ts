import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a table of a sink holds, read by duckdb or pyiceberg. */
export interface SinkFacts {
  readonly rows: number;
  /** Distinct values of the key columns. */
  readonly keys: number;
  /** Sum of one column, as text. */
  readonly total: string | null;
  /** Properties of each Iceberg snapshot, oldest first. */
  readonly snapshots?: readonly Record<string, string>[];
}

export async function readSink(
  kind: 'parquet' | 'iceberg',
  folder: string,
  columns: { key: string; sum: string },
): Promise<SinkFacts> {
  const { stdout } = await promisify(execFile)('.venv/bin/python', [
    'test/support/read_sink.py',
    kind,
    folder,
    columns.key,
    columns.sum,
  ]);
  return JSON.parse(stdout) as SinkFacts;
}
