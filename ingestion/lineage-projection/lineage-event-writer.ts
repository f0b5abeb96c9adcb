import { AppError } from '#errors';
import type { InboxCursor, LineageRecords, LineageStore, LineageWrite } from '#graph-store';
import { assertionsOf, type InboxEntry, mergeAllStates } from '../openlineage/index.js';
import type { LineageWriter } from '../openlineage-intake/index.js';
import { projectLineage } from './project-lineage.js';

/** Nodes and edges of one transaction, unless a single event has more. */
const MAX_ITEMS = 40_000;

const CONTEXT = { actor: 'openlineage' };

/** Writes events of OpenLineage and edits of lineage into the graph, with their position in the inbox that they were taken from. */
export class LineageEventWriter implements LineageWriter {
  readonly #store: LineageStore;

  constructor(store: LineageStore) {
    this.#store = store;
  }

  /** Position up to which the graph has the events of an inbox; 0 when it has none. */
  position(inboxId: string): Promise<number> {
    return this.#store.position(inboxId);
  }

  /**
   * Writes all of the events or nothing. No events at all still move the position.
   *
   * @returns sequence of the change; null when nothing changed
   * @throws AppError CONFLICT when another drainer has written since, STORE_UNAVAILABLE, TIMEOUT
   * @throws AppError PAYLOAD_TOO_LARGE when several events are too much for one transaction: write fewer at a time
   */
  write(events: readonly InboxEntry[], cursor: InboxCursor): Promise<number | null> {
    const told = mergeAllStates(events.map((event) => assertionsOf(event).state));
    const project = async (records: LineageRecords): Promise<LineageWrite> => {
      const write = await projectLineage(records, told);
      const items = itemsOf(write);
      if (items <= MAX_ITEMS || events.length === 1) return write;
      throw new AppError('PAYLOAD_TOO_LARGE', `${events.length} events make ${items} nodes and edges at once`, {
        details: { limit: 'items', value: MAX_ITEMS, actual: items },
      });
    };
    return this.#store.write(cursor, project, CONTEXT);
  }
}

function itemsOf({ batch }: LineageWrite): number {
  const { entities = [], edges = [], deletions = [], edgeDeletions = [] } = batch;
  return entities.length + edges.length + deletions.length + edgeDeletions.length;
}
