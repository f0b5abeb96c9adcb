import { setTimeout as pause } from 'node:timers/promises';
import { AppError, InputError } from '#errors';
import type { ChangeLog } from '#graph-store';
import type { OpenLineage } from '#ingestion';
import { decodeEventCursor } from '../events/event-cursor.js';

/** How long a read waits for a write that it asks for; the wait is short unless the token is of another graph. */
const LONGEST_WAIT_MS = 5_000;

/** Tokens of one read: a header has no room for more, and a client that has more can ask for the head of the log in between. */
const MOST_TOKENS = 1_000;

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** HTTP header in which a read names the commit that it must see. */
export const READ_AFTER_HEADER = 'nucleus-read-after';

/** Where it can be seen how far the graph is. */
export interface ReadAfterSources {
  readonly log: Pick<ChangeLog, 'head'>;
  /** Undefined where no events of OpenLineage are taken. */
  readonly openLineage?: Pick<OpenLineage, 'drainer'> | undefined;
}

/**
 * Waits until the graph holds a commit, so that what is read next shows it.
 *
 * @param token what a mutation has returned as `commit`, or the token with which events of OpenLineage were taken; or several of
 *   these, separated by commas, of which the latest counts
 * @throws InputError when it is not a token of this server, or more than 1,000 of them
 * @throws AppError TIMEOUT when the commit does not arrive within 5 seconds
 */
export async function waitForCommit(sources: ReadAfterSources, token: unknown, signal?: AbortSignal): Promise<void> {
  const { sequence, position } = placesOf(token, sources);
  const deadline = performance.now() + LONGEST_WAIT_MS;
  if (position > 0) {
    const arrival = await sources.openLineage?.drainer.arrival({ first: position, last: position }, LONGEST_WAIT_MS);
    if (arrival?.is === 'late') throw late();
  }
  for (let pauseMs = FIRST_PAUSE_MS; sequence > 0; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const head = await sources.log.head();
    if (head >= sequence) return;
    if (performance.now() + pauseMs > deadline) throw late();
    await pause(pauseMs, undefined, signal ? { signal } : {});
  }
}

function late(): AppError {
  return new AppError('TIMEOUT', `the graph has not reached the commit to read after within ${LONGEST_WAIT_MS} ms`, {
    details: { limit: 'readAfterMs', value: LONGEST_WAIT_MS },
  });
}

/** The latest change and the latest position of the inbox that are named; 0 for what is not. */
function placesOf(token: unknown, { openLineage }: ReadAfterSources): { sequence: number; position: number } {
  const tokens = typeof token === 'string' ? token.split(',', MOST_TOKENS + 1) : [''];
  if (tokens.length > MOST_TOKENS) {
    throw InputError.one(
      'BAD_USER_INPUT',
      'readAfter',
      `holds more than ${MOST_TOKENS} commit tokens: name the latest`,
    );
  }
  const places = { sequence: 0, position: 0 };
  for (const one of tokens.map((text) => text.trim())) {
    const position = openLineage?.drainer.positionOf(one);
    if (position !== undefined) places.position = Math.max(places.position, position);
    else places.sequence = Math.max(places.sequence, sequenceOf(one));
  }
  return places;
}

function sequenceOf(token: string): number {
  try {
    return decodeEventCursor(token);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw InputError.one('BAD_USER_INPUT', 'readAfter', 'is not a commit token that a mutation has returned');
  }
}
