import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { DeadLetterReason, EventInbox } from '#kv';
import { type Finding, type InboxEntry, readEvent } from '../openlineage/index.js';
import { editBody, isEditPayload, readEdit } from './edit-payload.js';
import { readJson } from './read-json.js';

/** Neighbouring events and edits of an inbox. */
export interface DrainBatch {
  readonly upTo: number;
  /** Positions that it covers, readable or not. */
  readonly size: number;
  readonly events: readonly InboxEntry[];
  /** What was taken once and is not understood now, for instance by a server of an older version. */
  readonly unreadable: readonly { readonly position: number; readonly reason: DeadLetterReason }[];
}

/** @returns undefined when there is no event after the position */
export async function readBatch(
  inbox: EventInbox,
  bounds: { after: number; limit: number; maxBytes: number },
): Promise<DrainBatch | undefined> {
  const stored = await inbox.read(bounds);
  const newest = stored.at(-1);
  if (newest === undefined) return undefined;
  const events: InboxEntry[] = [];
  const unreadable: { position: number; reason: DeadLetterReason }[] = [];
  for (const [index, { position, receivedAt, payload }] of stored.entries()) {
    // Requests have their turn in between: reading a full batch takes as long as many of them.
    if (index > 0 && index % 32 === 0) await endOfTurn();
    const read = readEntry(payload, receivedAt);
    if (read.ok) events.push(read.entry);
    else unreadable.push({ position, reason: reasonOf(read.faults) });
  }
  return { upTo: newest.position, size: stored.length, events, unreadable };
}

type ReadEntry =
  | { readonly ok: true; readonly entry: InboxEntry }
  | { readonly ok: false; readonly faults: readonly Finding[] };

function readEntry(payload: Uint8Array, receivedAt: Date): ReadEntry {
  if (isEditPayload(payload)) {
    const read = readEdit(readJson(editBody(payload)));
    return read.ok ? { ok: true, entry: read.edit } : read;
  }
  const json = readJson(payload);
  if (!json.ok) return { ok: false, faults: [json.fault] };
  const read = readEvent(json.value, receivedAt, 'linking');
  return read.ok ? { ok: true, entry: read.event } : read;
}

function reasonOf([first]: readonly Finding[]): DeadLetterReason {
  return { code: 'UNREADABLE', path: first?.path ?? '', message: first?.rule ?? 'cannot be read as an event' };
}
