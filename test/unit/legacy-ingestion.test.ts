import { describe, expect, it } from 'vitest';
import { type IngestionDriver, type IngestionSink, runLegacyIngestion } from '#ingestion';

type Row = Readonly<Record<string, unknown>>;

/** Rows 1 to 6 in batches of two; the checkpoint is the number of the last row. */
const countingDriver: IngestionDriver = {
  async *read(checkpoint) {
    for (let next = Number(checkpoint ?? 0) + 1; next <= 6; next += 2) {
      yield { records: [{ n: next }, { n: next + 1 }], checkpoint: String(next + 1) };
    }
  },
};

function collectingSink(options: { refuse?: number } = {}): IngestionSink & { rows: Row[] } {
  const rows: Row[] = [];
  return {
    rows,
    write: async (records) => {
      if (records.some((record) => record.n === options.refuse)) throw new Error('disk full');
      rows.push(...records);
    },
  };
}

const signal = () => new AbortController().signal;
const numbers = (rows: readonly Row[]) => rows.map((row) => row.n);

describe('the legacy driver model', () => {
  it('copies every batch and ends at the checkpoint of the last', async () => {
    const sink = collectingSink();
    expect(await runLegacyIngestion(countingDriver, sink, { checkpoint: null, signal: signal() })).toBe('6');
    expect(numbers(sink.rows)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('goes on after the checkpoint, and keeps it when there is nothing more', async () => {
    const sink = collectingSink();
    expect(await runLegacyIngestion(countingDriver, sink, { checkpoint: '4', signal: signal() })).toBe('6');
    expect(numbers(sink.rows)).toEqual([5, 6]);
    expect(await runLegacyIngestion(countingDriver, sink, { checkpoint: '6', signal: signal() })).toBe('6');
  });

  it('tells of a checkpoint only after the sink has committed it', async () => {
    const committed: string[] = [];
    const sink = collectingSink({ refuse: 3 });
    const run = runLegacyIngestion(countingDriver, sink, {
      checkpoint: null,
      signal: signal(),
      onCommitted: (checkpoint) => committed.push(checkpoint),
    });
    await expect(run).rejects.toThrow('disk full');
    expect(committed).toEqual(['2']);
  });

  it('writes nothing more once it is aborted', async () => {
    const controller = new AbortController();
    const sink = collectingSink();
    const run = runLegacyIngestion(countingDriver, sink, {
      checkpoint: null,
      signal: controller.signal,
      onCommitted: () => controller.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    expect(numbers(sink.rows)).toEqual([1, 2]);
  });
});
