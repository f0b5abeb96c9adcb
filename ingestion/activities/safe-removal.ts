import type { ScopeRemoval, Vanished } from '../contracts/index.js';

/** So few may always go. */
const FEW = 10;
/** Share of what a scope held that may go without anybody's word. */
const SAFE_SHARE = 0.2;

type Counts = Pick<Vanished, 'held' | 'vanished'>;

/**
 * Whether what has vanished from a scope may go without anybody's word. A scope that has become empty may not: that is more often
 * a lost permission than an emptied schema.
 */
export function isSafeRemoval({
  datasets,
  fields,
}: Record<keyof Pick<ScopeRemoval, 'datasets' | 'fields'>, Counts>): boolean {
  const isEmpty = datasets.held > 0 && datasets.vanished === datasets.held;
  return !isEmpty && isFew(datasets) && isFew(fields);
}

function isFew({ held, vanished }: Counts): boolean {
  return vanished <= Math.max(FEW, held * SAFE_SHARE);
}
