import type { IngestionDriver, IngestionSink } from './ingestion-driver.js';

/**
 * Legacy. Copies a driver's batches into a sink, one after the other.
 *
 * @returns the checkpoint of the last batch that the sink has committed; the given one when there was none
 * @throws whatever driver or sink throw; batches committed before that are told by `onCommitted`
 */
export async function runLegacyIngestion(
  driver: IngestionDriver,
  sink: IngestionSink,
  options: { checkpoint: string | null; signal: AbortSignal; onCommitted?: (checkpoint: string) => void },
): Promise<string | null> {
  let committed = options.checkpoint;
  for await (const batch of driver.read(options.checkpoint, options.signal)) {
    options.signal.throwIfAborted();
    await sink.write(batch.records, options.signal);
    committed = batch.checkpoint;
    options.onCommitted?.(committed);
  }
  return committed;
}
