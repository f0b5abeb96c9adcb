import type { Logger } from 'pino';
import type { Config } from '#config';
import { type LineageWriter, type OpenLineage, openOpenLineage } from '#ingestion';

/**
 * Opens the inbox for events of OpenLineage as the settings say, and begins to drain it.
 *
 * @throws EventInboxError with reason `open-failed`
 */
export function startLineage(
  config: Pick<Config<'server'>, 'LINEAGE_INBOX_PATH' | 'LINEAGE_BATCH_EVENTS' | 'LINEAGE_BATCH_BYTES'>,
  writer: LineageWriter,
  { logger, now }: { logger: Logger; now: () => Date },
): OpenLineage {
  const openLineage = openOpenLineage({
    inboxPath: config.LINEAGE_INBOX_PATH,
    batch: { events: config.LINEAGE_BATCH_EVENTS, bytes: config.LINEAGE_BATCH_BYTES },
    ...{ writer, logger, now },
  });
  openLineage.drainer.start();
  return openLineage;
}
