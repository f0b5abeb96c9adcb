import { NucleusError } from './nucleus-error.js';

/** How failures that may pass are met: exponential backoff with full jitter, so that many clients do not come back at once. */
export interface RetryPolicy {
  /** Attempts in all; 1 means no retry. @default 5 */
  readonly attempts: number;
  /** Upper bound of the first wait, in milliseconds; it doubles with each attempt. @default 200 */
  readonly baseMs: number;
  /** Upper bound of any wait, in milliseconds. @default 10000 */
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 200, maxMs: 10_000 };

/**
 * Wait before attempt `failures + 1`, anywhere between 0 and the bound.
 *
 * @param random from 0 to 1, 1 excluded
 */
export function backoffMs(policy: RetryPolicy, failures: number, random: number = Math.random()): number {
  return random * Math.min(policy.maxMs, policy.baseMs * 2 ** Math.max(0, failures - 1));
}

/** Node takes a longer one for 1 ms. About 25 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws the reason of the signal as soon as that is aborted */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', abort);
        resolve();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** Repeats `attempt` while it fails with what may pass. */
export async function withRetries<T>(policy: RetryPolicy, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NucleusError) || !error.retryable || failures >= policy.attempts) throw error;
      const waitMs = Math.max(backoffMs(policy, failures), retryAfterMs(error));
      // Aborted while waiting: what went wrong before tells more than the abort.
      await pause(waitMs, signal).catch(() => Promise.reject(error));
    }
  }
}

/** What the server asked for in `Retry-After`. */
function retryAfterMs(error: NucleusError): number {
  return typeof error.details.retryAfterMs === 'number' ? error.details.retryAfterMs : 0;
}
