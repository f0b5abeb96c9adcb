import type { LineageDirection } from './lineage-types.js';
import { OPERATIONS } from './operations.js';
import type { StreamSource } from './resuming-stream.js';
import type { GraphChange, GraphChangeEvent, GraphChangeFilter } from './schema-types.js';

export function graphChangeSource(filter: GraphChangeFilter | undefined): StreamSource<GraphChange> {
  return changesOf('graphChanges', { filter });
}

export function lineageChangeSource(cone: {
  readonly urn: string;
  readonly direction?: LineageDirection | undefined;
  readonly depth?: number | null | undefined;
}): StreamSource<GraphChange> {
  return changesOf('lineageChanges', cone);
}

/** Each change has a cursor of its own, which is also its key; the event's cursor lies at or after that of its last change. */
function changesOf(
  field: 'graphChanges' | 'lineageChanges',
  variables: StreamSource<GraphChange>['variables'],
): StreamSource<GraphChange> {
  return {
    query: OPERATIONS[field],
    variables,
    unpack: (data) => {
      const event = (data as Readonly<Record<typeof field, GraphChangeEvent>>)[field];
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
