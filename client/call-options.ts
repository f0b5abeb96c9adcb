import { NucleusError } from './nucleus-error.js';
import { LONGEST_TIMER_MS } from './retry-policy.js';

export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call, retries included; then it fails with TIMEOUT. @default that of the client */
  readonly deadlineMs?: number | undefined;
}

export interface ReadOptions extends CallOptions {
  /**
   * Commit token that the answer must not be older than; null takes whatever the server has.
   * @default the commits of this client's own writes
   */
  readonly readAfter?: string | null | undefined;
}

export interface WriteOptions extends CallOptions {
  /**
   * What a refused item does: `throw` a WriteRefusedError, or `return` the payload with its `userErrors`.
   * @default 'throw'
   */
  readonly onRefusal?: 'throw' | 'return' | undefined;
}

/** Runs `work` with a signal that follows the caller's own and the deadline. */
export async function bounded<T>(
  options: CallOptions,
  defaultDeadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal: outer, deadlineMs = defaultDeadlineMs } = options;
  outer?.throwIfAborted();
  const inner = new AbortController();
  const abort = () => inner.abort(outer?.reason);
  outer?.addEventListener('abort', abort, { once: true });
  const timer = deadlineMs <= LONGEST_TIMER_MS ? setTimeout(() => inner.abort(), deadlineMs) : undefined;
  try {
    return await work(inner.signal);
  } catch (error) {
    // Whatever failed because of the abort tells less than the reason of the abort.
    outer?.throwIfAborted();
    throw inner.signal.aborted ? timedOut(deadlineMs, error) : error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }
}

function timedOut(deadlineMs: number, last: unknown): NucleusError {
  const why = last instanceof NucleusError ? `; the last attempt: ${last.message}` : '';
  return new NucleusError('TIMEOUT', `no answer within the deadline of ${deadlineMs} ms${why}`, { cause: last });
}
