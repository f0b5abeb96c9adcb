import type { Change } from '#graph-store';
import type { EventPosition } from './event-cursor.js';
import type { EventWeight } from './event-queue.js';

/** What every event of a subscription that resumes has. */
export interface ResumableEvent {
  readonly cursor: string;
}

/** How one subscription shows the change log. It holds no state of a subscriber, so all with the same filter share one. */
export interface EventView<Event extends ResumableEvent, Tick = never> {
  /** Equal for views that show the same. */
  readonly key: string;
  /**
   * The events of some consecutive changes.
   * @param after leaves out the parts of the first change up to this one
   */
  project(changes: readonly Change[], after?: EventPosition): Promise<readonly Event[]>;
  /** An event without content; `cursor` is where the subscription stands. */
  mark(kind: 'SUBSCRIBED' | 'HEARTBEAT', cursor: string): Event;
  /** What an event weighs in the queue of a subscriber. */
  weightOf(event: Event): EventWeight;
  /** Events beside the log that are never replayed. */
  readonly ticks?: {
    listen(listener: (key: string, tick: Tick) => void): () => void;
    show(tick: Tick, cursor: string): Event;
  };
}
