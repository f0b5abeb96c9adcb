import neo4j, { type Driver, type QueryResult, type RecordShape, type Session } from 'neo4j-driver';
import { AppError } from '#errors';
import { asAppError } from './neo4j-session.js';

/** Reads with a time limit, which their caller may give up. */
export interface BoundedRead {
  /** Rows of a statement as plain objects. Several may run at one time. */
  run<Row>(statement: string, parameters: Readonly<Record<string, unknown>>): Promise<Row[]>;
}

/**
 * Runs `work`, each statement of it as a transaction of its own: one around several would make no more of a snapshot in Neo4j, and takes
 * two round trips more. When the signal is aborted or time is up the sessions are closed, which resets their connections and ends in
 * Neo4j whatever statement is still running. The time-out of the transactions is for a connection that breaks; Neo4j looks at it every two
 * seconds or so.
 *
 * @throws the reason of the signal, or AppError TIMEOUT, STORE_UNAVAILABLE
 */
export async function boundedRead<T>(
  driver: Driver,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal | undefined },
  work: (read: BoundedRead) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const late = new AbortController();
  const end = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  const timer = setTimeout(() => late.abort(tooLate(deadlineMs)), deadlineMs);
  try {
    return await work({
      run: (statement, parameters) => runWithin(driver, { deadlineMs, end }, statement, parameters),
    });
  } catch (error) {
    end.throwIfAborted();
    throw asAppError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends rows without being asked for the next ones: the limits of an answer bound them. */
const ALL_ROWS = -1;

/** The error of a read that took longer than its caller allows. */
export function tooLate(deadlineMs: number): AppError {
  return new AppError('TIMEOUT', 'the deadline passed before there was anything to tell; allow more by deadlineMs', {
    details: { limit: 'deadlineMs', value: deadlineMs },
  });
}

async function runWithin<Row>(
  driver: Driver,
  { deadlineMs, end }: { deadlineMs: number; end: AbortSignal },
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Row[]> {
  end.throwIfAborted();
  const session = driver.session({ defaultAccessMode: neo4j.session.READ, fetchSize: ALL_ROWS });
  // A close that fails after the outcome is known must not hide that outcome.
  const close = () => session.close().catch(() => undefined);
  let giveUp: () => void = () => undefined;
  // A driver that waits before it tries again would never say that its session was closed meanwhile.
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = () => reject(end.reason);
  });
  end.addEventListener('abort', giveUp, { once: true });
  try {
    const { records } = await Promise.race([givenUp, runAgain(session, statement, parameters, deadlineMs)]);
    return records.map((record) => record.toObject() as Row);
  } finally {
    end.removeEventListener('abort', giveUp);
    await close();
  }
}

/** A connection may have broken while nobody used it: what can be tried again is left to the driver, which knows how long to wait. */
async function runAgain(
  session: Session,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  timeout: number,
): Promise<QueryResult<RecordShape>> {
  try {
    return await session.run(statement, parameters, { timeout });
  } catch (error) {
    if (!neo4j.isRetryableError(error)) throw error;
    return await session.executeRead((tx) => tx.run(statement, parameters), { timeout });
  }
}
