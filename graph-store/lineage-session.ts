import neo4j, { type Driver, type ManagedTransaction } from 'neo4j-driver';
import { AppError } from '#errors';
import { asAppError } from './neo4j-session.js';

/** One read with a time limit, which its caller may give up. */
export interface BoundedRead {
  /** Rows of a statement as plain objects. */
  run<Row>(statement: string, parameters: Readonly<Record<string, unknown>>): Promise<Row[]>;
}

/**
 * Runs `work` as one read transaction. When the signal is aborted or time is up the session is closed, which resets its
 * connection and ends in Neo4j whatever statement is still running. The time-out of the transaction is for a connection that
 * breaks; Neo4j looks at it every two seconds or so.
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
  const session = driver.session({ defaultAccessMode: neo4j.session.READ });
  // A close that fails after the outcome is known must not hide that outcome.
  const close = () => session.close().catch(() => undefined);
  end.addEventListener('abort', close, { once: true });
  const timer = setTimeout(() => late.abort(tooLate(deadlineMs)), deadlineMs);
  try {
    return await session.executeRead((tx) => work(readOn(tx, end)), { timeout: deadlineMs });
  } catch (error) {
    end.throwIfAborted();
    throw asAppError(error);
  } finally {
    clearTimeout(timer);
    end.removeEventListener('abort', close);
    await close();
  }
}

/** The error of a read that took longer than its caller allows. */
export function tooLate(deadlineMs: number): AppError {
  return new AppError('TIMEOUT', 'the deadline passed before there was anything to tell; allow more by deadlineMs', {
    details: { limit: 'deadlineMs', value: deadlineMs },
  });
}

function readOn(tx: ManagedTransaction, end: AbortSignal): BoundedRead {
  return {
    run: async <Row>(statement: string, parameters: Readonly<Record<string, unknown>>) => {
      // The driver repeats the work when a connection breaks, and to close the session is to break it.
      end.throwIfAborted();
      const { records } = await tx.run(statement, parameters);
      return records.map((record) => record.toObject() as Row);
    },
  };
}
