/** What the graph shows of lineage events: nodes, edges with their validity, and the versions that runs have read and written. */
export { LineageEventWriter } from './lineage-event-writer.js';
