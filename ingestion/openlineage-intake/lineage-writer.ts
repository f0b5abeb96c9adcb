import type { InboxCursor } from '#graph-store';
import type { InboxEntry } from '../openlineage/index.js';

/** The graph as the drainer needs it. */
export interface LineageWriter {
  /** Position up to which the graph has the events of an inbox; 0 when it has none. */
  position(inboxId: string): Promise<number>;

  /**
   * All of it or nothing, with the position, in one transaction. No events at all still move the position.
   *
   * @returns sequence of the change; null when nothing changed
   * @throws AppError CONFLICT when another drainer has written since (position or a higher fence); STORE_UNAVAILABLE, TIMEOUT;
   *   PAYLOAD_TOO_LARGE when several events are too much for one transaction
   */
  write(events: readonly InboxEntry[], cursor: InboxCursor): Promise<number | null>;
}
