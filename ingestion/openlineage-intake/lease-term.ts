import type { DrainLease } from '#kv';

export interface LeaseTerm {
  readonly fence: number;
  /** Aborted when the lease is lost, and when the caller's own signal is. */
  readonly signal: AbortSignal;
}

/**
 * Runs work under the lease of an inbox, which is renewed until the work ends and given back then.
 *
 * @returns false when somebody else has the lease; the work was not begun
 */
export async function underLease(
  lease: DrainLease,
  options: { holder: string; ttlMs: number; signal: AbortSignal },
  work: (term: LeaseTerm) => Promise<void>,
): Promise<boolean> {
  const { holder, ttlMs } = options;
  const grant = await lease.acquire({ holder, ttlMs });
  if (!grant.ok) return false;
  const { fence } = grant;
  const end = new AbortController();
  const abort = () => end.abort();
  options.signal.addEventListener('abort', abort);
  if (options.signal.aborted) abort();
  const renew = () =>
    lease.renew({ fence, ttlMs }).then(
      (renewed) => {
        if (!renewed.ok) abort();
      },
      // A renewal that finds no room on the disk is tried again; until then the graph holds the fence against two drainers.
      () => undefined,
    );
  const renewing = setInterval(() => void renew(), ttlMs / 3);
  try {
    await work({ fence, signal: end.signal });
  } finally {
    clearInterval(renewing);
    options.signal.removeEventListener('abort', abort);
    // One that cannot be given back runs out by itself.
    await lease.release({ fence }).catch(() => undefined);
  }
  return true;
}
