/** How values lie: the median, the middle half and the ends. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Bounds of the middle half, so that one odd round does not hide how steady the rest is. */
  readonly q1: number;
  readonly q3: number;
}

/**
 * The value below which `percent` of the values lie, between two values by their distance (type 7 of Hyndman and Fan, the default of R and numpy).
 * @throws RangeError when there are no values
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError('no values: nothing was measured');
  return below + (above - below) * (place - Math.floor(place));
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: percentile(values, 50),
    min: percentile(values, 0),
    max: percentile(values, 100),
    q1: percentile(values, 25),
    q3: percentile(values, 75),
  };
}
