import { UsageError } from './exit-codes.js';

/** The option `--depth`: null is all. @throws UsageError */
export function depthOf(text: string): number | null {
  if (text === 'all') return null;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError('--depth must be a whole number above 0, or `all`');
  return Number(text);
}
