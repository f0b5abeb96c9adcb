const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/**
 * Pause before the next attempt: doubles with each failure, at least half of it for certain, the rest by chance, so that
 * servers which lost the same graph do not come back to it together.
 *
 * @param random from 0 to 1, 1 excluded
 */
export function retryPauseMs(failures: number, random: number = Math.random()): number {
  const boundMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return (boundMs * (1 + random)) / 2;
}
