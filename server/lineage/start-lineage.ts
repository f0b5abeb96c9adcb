import type { Logger } from 'pino';
import type { Config } from '#config';
import { type LineageWriter, type OpenLineage, openOpenLineage } from '#ingestion';
import { ThreadedDrain } from './threaded-drain.js';

interface LineageParts {
  readonly graph: Pick<LineageWriter, 'position'>;
  /** Called with its sequence when a change that holds events is committed. Must not throw. */
  readonly onCommit: (sequence: number) => void;
  readonly logger: Logger;
  readonly now: () => Date;
}

/**
 * Opens the inbox for events of OpenLineage as the settings say, and begins to drain it in a thread.
 *
 * @throws EventInboxError with reason `open-failed`
 */
export function startLineage(
  config: Pick<
    Config<'server'>,
    | 'LINEAGE_INBOX_PATH'
    | 'LINEAGE_BATCH_EVENTS'
    | 'LINEAGE_BATCH_BYTES'
    | 'LOG_LEVEL'
    | 'NEO4J_URI'
    | 'NEO4J_USER'
    | 'NEO4J_PASSWORD'
  >,
  { graph, onCommit, logger, now }: LineageParts,
): OpenLineage {
  const drain = new ThreadedDrain({
    settings: {
      neo4j: { uri: config.NEO4J_URI, user: config.NEO4J_USER, password: config.NEO4J_PASSWORD },
      inboxPath: config.LINEAGE_INBOX_PATH,
      batch: { events: config.LINEAGE_BATCH_EVENTS, bytes: config.LINEAGE_BATCH_BYTES },
      logLevel: config.LOG_LEVEL,
    },
    onCommit,
    logger,
  });
  const openLineage = openOpenLineage({ inboxPath: config.LINEAGE_INBOX_PATH, graph, drain, now });
  openLineage.drainer.start();
  return openLineage;
}
