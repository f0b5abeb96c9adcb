import neo4j, { type Driver, type ManagedTransaction, Neo4jError } from 'neo4j-driver';
import { AppError } from '#errors';

/** The handle that everything but the entry points is given. */
export type GraphDriver = Driver;

export interface Neo4jConnection {
  readonly uri: string;
  readonly user: string;
  readonly password: string;
}

/** Entry points call this once; everything else is handed the driver. */
export function openDriver(connection: Neo4jConnection): Driver {
  return neo4j.driver(connection.uri, neo4j.auth.basic(connection.user, connection.password), {
    disableLosslessIntegers: true,
    maxTransactionRetryTime: 15_000,
    connectionAcquisitionTimeout: 10_000,
    telemetryDisabled: true,
  });
}

/** Neo4j ends a transaction that runs longer, so a stuck writer cannot hold the counter of the change log for ever. */
const TRANSACTION_TIMEOUT_MS = 30_000;

/** Runs `work` as one write transaction; the driver repeats it with growing, jittered pauses after a deadlock or a lost leader. */
export async function inWriteTransaction<T>(
  driver: Driver,
  work: (tx: ManagedTransaction) => Promise<T>,
  timeoutMs = TRANSACTION_TIMEOUT_MS,
): Promise<T> {
  return inSession(driver, (session) => session.executeWrite(work, { timeout: timeoutMs }));
}

export async function inReadTransaction<T>(driver: Driver, work: (tx: ManagedTransaction) => Promise<T>): Promise<T> {
  return inSession(driver, (session) => session.executeRead(work, { timeout: TRANSACTION_TIMEOUT_MS }));
}

async function inSession<T>(driver: Driver, work: (session: ReturnType<Driver['session']>) => Promise<T>): Promise<T> {
  const session = driver.session();
  try {
    return await work(session);
  } catch (error) {
    throw asAppError(error);
  } finally {
    // A close that fails after the outcome is known must not hide that outcome.
    await session.close().catch(() => undefined);
  }
}

const UNREACHABLE = new Set<string>([
  neo4j.error.SERVICE_UNAVAILABLE,
  neo4j.error.SESSION_EXPIRED,
  'Neo.TransientError.General.DatabaseUnavailable',
  'Neo.ClientError.Security.Unauthorized',
  'Neo.ClientError.Security.AuthenticationRateLimit',
]);

/** Codes of Neo4j for arguments that a caller has chosen and that it cannot take, such as a negative limit. */
const ARGUMENT_CODES = new Set(['Neo.ClientError.Statement.ArgumentError', 'Neo.ClientError.Statement.TypeError']);

/**
 * What a failed read of generated Cypher means to its caller.
 *
 * @param refusal makes the error of an argument that Neo4j refuses
 */
export function asReadError(error: unknown, refusal: (rule: string) => AppError): unknown {
  if (error instanceof Neo4jError && ARGUMENT_CODES.has(error.code)) {
    return refusal('has an argument that Neo4j cannot take: sizes of pages must be whole numbers, 0 or greater');
  }
  return asAppError(error);
}

/** The driver gives this error no code of its own. */
const POOL_EXHAUSTED = 'Connection acquisition timed out';

export function asAppError(error: unknown): unknown {
  if (!(error instanceof Neo4jError)) return error;
  if (error.code.includes('TransactionTimedOut')) {
    return new AppError('TIMEOUT', 'the graph transaction took longer than its time-out', {
      cause: error,
    });
  }
  if (error.message.startsWith(POOL_EXHAUSTED)) {
    return new AppError('STORE_UNAVAILABLE', 'all connections to Neo4j are in use: try again', {
      details: { store: 'neo4j' },
      cause: error,
    });
  }
  if (UNREACHABLE.has(error.code) || error.retriable) {
    return new AppError('STORE_UNAVAILABLE', `Neo4j does not answer (${error.code})`, {
      details: { store: 'neo4j', neo4jCode: error.code },
      cause: error,
    });
  }
  return error;
}
