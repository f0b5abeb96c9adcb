import { OPERATIONS } from './operations.js';
import type { StreamSource } from './resuming-stream.js';
import type { IngestionRunEvent, IngestionRunEventFilter } from './schema-types.js';

/**
 * One change may move several runs, which then come as several events with one cursor. Only the next event with another
 * cursor, or of another kind, tells that all of them have come; until then the place to resume lies before them.
 */
export function runEventSource(
  filter: IngestionRunEventFilter | undefined,
  after: string | undefined,
): StreamSource<IngestionRunEvent> {
  let complete = after;
  let underWay: string | undefined;
  return {
    query: OPERATIONS.ingestionRunEvents,
    variables: { filter },
    unpack: (data) => {
      const { ingestionRunEvents: event } = data as { ingestionRunEvents: IngestionRunEvent };
      if (event.kind !== 'STATE_CHANGED') {
        complete = event.cursor;
        underWay = undefined;
      } else if (event.cursor !== underWay) {
        complete = underWay ?? complete;
        underWay = event.cursor;
      }
      if (event.kind === 'SUBSCRIBED' || event.kind === 'HEARTBEAT') return { deliveries: [], resumeAt: complete };
      const key = event.kind === 'STATE_CHANGED' ? `${event.cursor} ${event.run?.id}` : undefined;
      return { deliveries: [{ item: event, key, resumeAt: complete, size: 1 }], resumeAt: complete };
    },
  };
}
