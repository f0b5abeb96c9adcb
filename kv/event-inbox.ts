import type { DrainLease } from './event-inbox-lease.js';

/** One event as it was appended. */
export type InboxEvent = { position: number; receivedAt: Date; payload: Uint8Array };

/** The positions that one append was given; they are consecutive, in the order of its payloads. */
export type AppendedRange = { first: number; last: number };

/** The backlog. `bytes` counts payloads as they were appended; `oldestAgeMs` is 0 when there is none. */
export type InboxSize = { events: number; bytes: number; oldestAgeMs: number };

/** Why an event cannot be applied: a stable code, the dotted path of what is at fault, and the rule it breaks. */
export type DeadLetterReason = { code: string; path: string; message: string };

/** An event that is kept aside. `position` is the one under which it could not be applied. */
export type DeadLetter = {
  position: number;
  receivedAt: Date;
  parkedAt: Date;
  reason: DeadLetterReason;
  /** Size of the payload in bytes. */
  bytes: number;
};

/**
 * Events between their acknowledgement and the graph: a queue that outlives the process, with positions 1, 2, 3 …
 *
 * - Positions have no gaps and are never given out twice, also over restarts and by several processes on one inbox.
 * - `append` resolves only when its events are durable; it takes all of them or none.
 * - Reads see whole appends only, and every one that had resolved before the read was called.
 * - The inbox never decides what was applied. The position up to which the graph has the events lies in the graph, written
 *   in the transaction of the events themselves, together with the `id` of the inbox. A crash between that transaction and
 *   `remove` makes the next drainer read on from the graph's position, so nothing is applied twice; `remove` only frees room.
 *
 * Every method but `close` rejects with `EventInboxError` (reason `closed`) after `close`, and with `InputError` on an
 * argument that breaks a rule. A write rejects with reason `disk-full` or `write-failed` when it could not be made durable;
 * then nothing of it is there, and the inbox works on.
 */
export interface EventInbox extends AsyncDisposable {
  /**
   * Made up when the inbox is created. Positions of two inboxes say nothing about each other: a graph position that was
   * stored under another id (the folder was replaced) must not be used to skip events of this one.
   */
  readonly id: string;

  /** Who may drain at the moment. Appending needs no lease. */
  readonly lease: DrainLease;

  /** @param payloads one or more, none of them empty; copied, so that the caller may use the memory again at once */
  append(payloads: readonly Uint8Array[], options: { receivedAt: Date }): Promise<AppendedRange>;

  /**
   * Events after a position, in order: at most `limit`, and at most `maxBytes` of payload, but always one if there is any.
   * Starts at the oldest event when those right after `after` are removed.
   */
  read(options: { after: number; limit: number; maxBytes: number }): Promise<InboxEvent[]>;

  /**
   * Frees the room of all events up to a position. Dead letters stay. Safe to repeat, and harmless from a drainer that has
   * lost its lease, since it can only name what the graph has had for long.
   * @throws InputError when `upTo` lies after the newest event, so that a position of another inbox removes nothing
   */
  remove(options: { upTo: number }): Promise<void>;

  /** Position of the newest event ever appended; 0 before the first, and not lowered by `remove`. */
  head(): Promise<number>;

  /** Position of the oldest event that is still kept, if there is one. */
  oldest(): Promise<number | undefined>;

  /**
   * The lag, at a cost that does not depend on it. A replayed event counts with the age since it was first received.
   * @param options.after count only events after this position, the one that the graph has
   * @default after 0: all that are kept
   */
  size(options?: { after?: number }): Promise<InboxSize>;

  /**
   * Resolves once there is an event after a position: at once for an append through this object, and within `pollMs` for
   * one of another process.
   * @throws the reason of the signal when it is aborted
   */
  waitForAppend(options: { after: number; pollMs: number; signal?: AbortSignal }): Promise<void>;

  /**
   * Keeps a copy of an event aside. The event itself stays in the queue until `remove` passes it, like any other, because
   * only the graph's position says that it is dealt with; so a drainer that crashes in between parks it once more, which
   * replaces the reason.
   * @throws InputError (NOT_FOUND) when there is neither such an event nor such a dead letter
   */
  park(position: number, reason: DeadLetterReason): Promise<void>;

  /** Dead letters after a position, in order of position, without their payloads. */
  deadLetters(options: { after: number; limit: number }): Promise<DeadLetter[]>;

  deadLetter(position: number): Promise<(DeadLetter & { payload: Uint8Array }) | undefined>;

  /**
   * Moves a dead letter to the end of the queue in one step: never in both places, never in none.
   * @returns its new position, or undefined when there is no such dead letter (any more)
   */
  replay(position: number): Promise<number | undefined>;

  /** Removes a dead letter for good. @returns whether there was one */
  discard(position: number): Promise<boolean>;

  /** Waits for writes under way. Closing twice is harmless. */
  close(): Promise<void>;
}
