/**
 * Events of OpenLineage on their way into the graph: taken into a durable inbox, and drained from there in order.
 *
 * @example
 * const drain = openInboxDrain({ inboxPath, writer, batch: { events: 500, bytes: 8_388_608 }, logger, now });
 * const openLineage = openOpenLineage({ inboxPath, graph: writer, drain, now });
 * openLineage.drainer.start();
 * const taken = await openLineage.intake.take(body);
 * await openLineage.close();
 */

export type { Drain, DrainReport } from './drain.js';
export { DrainLoop } from './drain-loop.js';
export { decodeInboxToken, encodeInboxToken } from './inbox-token.js';
export { LineageDeadLetters } from './lineage-dead-letters.js';
export { type Arrival, LineageDrainer } from './lineage-drainer.js';
export { LineageEdits } from './lineage-edits.js';
export { type BatchIntake, LineageIntake, type Refusal, type TakenEvents } from './lineage-intake.js';
export type { LineageWriter } from './lineage-writer.js';
export { type OpenLineage, openInboxDrain, openOpenLineage } from './open-lineage.js';
export { retryPauseMs } from './retry-pause.js';
