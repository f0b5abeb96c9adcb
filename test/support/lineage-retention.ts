import type { LineageStore } from '#graph-store';
import {
  LineageRetention,
  type RetentionReport,
  type RetentionRule,
} from '../../ingestion/lineage-projection/index.js';
import { atMinute } from './lineage-edits.js';

/** Of all namespaces; without a least number of runs unless one is given. */
export function beforeMinute(n: number, rule: Partial<RetentionRule> = {}): RetentionRule {
  return { before: atMinute(n), keepRunsPerJob: 0, namespace: null, ...rule };
}

/** A whole pass. */
export function retain(store: LineageStore, rule: RetentionRule, isDryRun = false): Promise<RetentionReport> {
  const { signal } = new AbortController();
  return new LineageRetention(store).apply(rule, { isDryRun, signal }, { actor: 'test' });
}
