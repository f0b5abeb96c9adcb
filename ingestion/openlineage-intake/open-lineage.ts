import { hostname } from 'node:os';
import { openEventInbox } from '#kv';
import type { Drain } from './drain.js';
import { DrainLoop } from './drain-loop.js';
import type { DrainSource } from './drain-queue.js';
import { LineageDeadLetters } from './lineage-dead-letters.js';
import { LineageDrainer } from './lineage-drainer.js';
import { LineageEdits } from './lineage-edits.js';
import { LineageIntake } from './lineage-intake.js';
import type { LineageWriter } from './lineage-writer.js';

interface OpenLineageOptions {
  /** Folder of the inbox. */
  readonly inboxPath: string;
  readonly graph: Pick<LineageWriter, 'position'>;
  /** Of the same inbox. */
  readonly drain: Drain;
  readonly now: () => Date;
}

/** Everything that a server has for events of OpenLineage and edits of lineage, on one inbox. */
export interface OpenLineage {
  readonly intake: LineageIntake;
  readonly edits: LineageEdits;
  readonly drainer: LineageDrainer;
  readonly deadLetters: LineageDeadLetters;
  /** Ends the drainer, then closes the inbox. What was not drained waits for the next start. */
  close(): Promise<void>;
}

/**
 * Opens the inbox. The drainer is not started yet.
 *
 * @throws EventInboxError with reason `open-failed`
 */
export function openOpenLineage({ inboxPath, graph, drain, now }: OpenLineageOptions): OpenLineage {
  const inbox = openEventInbox({ kind: 'lmdb', path: inboxPath, now });
  const drainer = new LineageDrainer({ inbox, graph, drain });
  return {
    intake: new LineageIntake(inbox, now),
    edits: new LineageEdits(inbox, now),
    drainer,
    deadLetters: new LineageDeadLetters(inbox),
    close: async () => {
      await drainer.stop();
      await inbox.close();
    },
  };
}

interface InboxDrainOptions extends Omit<DrainSource, 'inbox'> {
  /** Folder of the inbox. */
  readonly inboxPath: string;
  readonly now: () => Date;
}

/**
 * Drains an inbox in the thread that calls this, through a handle of its own. When it was stopped, the inbox is closed.
 *
 * @throws EventInboxError with reason `open-failed`
 */
export function openInboxDrain({ inboxPath, now, ...source }: InboxDrainOptions): Drain {
  const inbox = openEventInbox({ kind: 'lmdb', path: inboxPath, now });
  const loop = new DrainLoop({ ...source, inbox, holder: `${hostname()}/${process.pid}` });
  return {
    start: (onReport) => loop.start(onReport),
    stop: async () => {
      await loop.stop();
      await inbox.close();
    },
  };
}
