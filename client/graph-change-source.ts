import { OPERATIONS } from './operations.js';
import type { StreamSource } from './resuming-stream.js';
import type { GraphChange, GraphChangeEvent, GraphChangeFilter } from './schema-types.js';

/** Each change has a cursor of its own, which is also its key; the event's cursor lies at or after that of its last change. */
export function graphChangeSource(filter: GraphChangeFilter | undefined): StreamSource<GraphChange> {
  return {
    query: OPERATIONS.graphChanges,
    variables: { filter },
    unpack: (data) => {
      const { graphChanges: event } = data as { graphChanges: GraphChangeEvent };
      const deliveries = event.changes.map((item) => ({
        item,
        key: item.cursor,
        resumeAt: item.cursor,
        size: 1 + item.items.length,
      }));
      return { deliveries, resumeAt: event.cursor };
    },
  };
}
