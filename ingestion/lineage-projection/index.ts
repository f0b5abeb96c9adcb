/** What the graph shows of lineage events: nodes, edges with their validity, and the versions that runs have read and written. */
export { LineageEventWriter } from './lineage-event-writer.js';
export {
  LineageRetention,
  type RetentionCounts,
  type RetentionReport,
} from './lineage-retention.js';
export type { RetentionRule } from './retention-rule.js';
