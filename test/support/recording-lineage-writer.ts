import { AppError } from '#errors';
import type { InboxCursor } from '#graph-store';
import type { InboxEntry } from '../../ingestion/openlineage/index.js';
import type { LineageWriter } from '../../ingestion/openlineage-intake/index.js';

/** What a write is met with before it is made: nothing, a wait, or the error that it throws. */
export type Obstacle = (events: readonly InboxEntry[], cursor: InboxCursor) => void | Promise<void>;

/** The port over memory, by the rules of a graph: position and fence are compared, and move with the events or not at all. */
export class RecordingLineageWriter implements LineageWriter {
  /** Every call, also those that failed. */
  readonly attempts: { readonly names: string[]; readonly cursor: InboxCursor }[] = [];
  /** Names of what was applied, batch by batch. */
  readonly batches: string[][] = [];
  /** Stands in the way of every write. */
  before: Obstacle = () => {};
  /** Meets every write that was made: what it throws is an answer that got lost. */
  after: Obstacle = () => {};
  /** When set, the graph does not answer when it is asked for its position. */
  isDown = false;
  #sequence = 0;
  readonly #states = new Map<string, { position: number; fence: number }>();

  get applied(): string[] {
    return this.batches.flat();
  }

  place(inboxId: string, position: number): void {
    this.#states.set(inboxId, { position, fence: 0 });
  }

  async position(inboxId: string): Promise<number> {
    if (this.isDown) throw down();
    return this.#state(inboxId).position;
  }

  async write(events: readonly InboxEntry[], cursor: InboxCursor): Promise<number | null> {
    const names = events.map(nameOf);
    this.attempts.push({ names, cursor });
    if (this.isDown) throw down();
    await this.before(events, cursor);
    const { position, fence } = this.#state(cursor.inboxId);
    if (position !== cursor.after || cursor.fence < fence)
      throw new AppError('CONFLICT', 'another drainer has written');
    this.#states.set(cursor.inboxId, { position: cursor.upTo, fence: cursor.fence });
    this.batches.push(names);
    this.#sequence += 1;
    await this.after(events, cursor);
    return events.length === 0 ? null : this.#sequence;
  }

  #state(inboxId: string) {
    return this.#states.get(inboxId) ?? { position: 0, fence: 0 };
  }
}

export function down(): AppError {
  return new AppError('STORE_UNAVAILABLE', 'Neo4j does not answer');
}

/** Name of the job, or of the data set where there is no job; of an edit its id. */
export function nameOf(event: InboxEntry): string {
  if (event.is === 'edge-edit' || event.is === 'run-edit') return event.id;
  return event.is === 'dataset' ? event.dataset.name : event.job.name;
}
