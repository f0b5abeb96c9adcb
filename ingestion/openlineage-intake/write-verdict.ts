import { AppError, type ErrorCode } from '#errors';
import type { DeadLetterReason } from '#kv';

/**
 * What a failed write asks for. `wait`: the graph is down or too slow, and the same events may be written later. `yield`: another
 * drainer has written. `refused`: these events cannot be written together, or a single one at all. `fault`: nobody knows.
 */
export type WriteVerdict = 'wait' | 'yield' | 'refused' | 'fault';

const VERDICTS: Partial<Record<ErrorCode, WriteVerdict>> = {
  STORE_UNAVAILABLE: 'wait',
  TIMEOUT: 'wait',
  CONFLICT: 'yield',
  BAD_USER_INPUT: 'refused',
  PAYLOAD_TOO_LARGE: 'refused',
};

export function verdictOn(error: unknown): WriteVerdict {
  return (error instanceof AppError ? VERDICTS[error.code] : undefined) ?? 'fault';
}

/** Why a single event is kept aside. Of a fault nothing is told that was not meant to be read: the log has its cause. */
export function deadLetterReason(error: unknown): DeadLetterReason {
  if (error instanceof AppError) return { code: error.code, path: '', message: error.message };
  const message = 'an unexpected fault at each attempt to write it; the log of the server holds the cause';
  return { code: 'INTERNAL_SERVER_ERROR', path: '', message };
}
