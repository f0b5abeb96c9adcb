import type { IngestionCatalog, LineageDirection } from '#graph-store';
import type { EventStreams } from './event-streams.js';
import { ChangeMatcher, type GraphChangeFilter } from './graph-change-filter.js';
import { type GraphChangeEvent, GraphChangeView, type ItemKinds } from './graph-change-view.js';
import { type LineageChangeSources, LineageChangeView } from './lineage-change-view.js';
import { readCone } from './lineage-cone.js';
import type { ProgressHub } from './progress-hub.js';
import { type RunEvent, type RunEventFilter, RunEventView } from './run-event-view.js';

/** What the subscriptions are fed from. */
export interface EventSources {
  readonly streams: EventStreams;
  readonly progress: ProgressHub;
  readonly catalog: IngestionCatalog;
  readonly kinds: ItemKinds;
  readonly now: () => Date;
}

interface StreamRequest<Filter> {
  readonly filter?: Filter | null | undefined;
  /** Cursor to resume after; absent means from now on. */
  readonly after?: string | null | undefined;
}

export interface LineageChangeRequest {
  readonly urn: string;
  readonly direction: LineageDirection;
  /** Hops over data sets; null is all. */
  readonly depth?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/**
 * Changes of the graph that match a filter.
 *
 * @throws InputError for a filter or a cursor that breaks a rule; the stream itself throws what `EventStreams.open` names
 */
export function graphChangeStream(
  sources: EventSources,
  { filter, after }: StreamRequest<GraphChangeFilter>,
): AsyncGenerator<GraphChangeEvent, void, void> {
  return sources.streams.open(new GraphChangeView(new ChangeMatcher(filter ?? {}), sources), after);
}

/**
 * Changes in the cone of a node.
 *
 * @throws InputError for a cursor that is not one; what `readCone` throws, and the stream itself when the cone has grown too large
 * @throws what `EventStreams.open` names, the stream itself
 */
export async function lineageChangeStream(
  { streams, ...sources }: LineageChangeSources & Pick<EventSources, 'streams'>,
  { after, urn, direction, depth }: LineageChangeRequest,
): Promise<AsyncGenerator<GraphChangeEvent, void, void>> {
  const cone = { urn, direction, depth: depth ?? undefined };
  const view = new LineageChangeView(cone, sources);
  const events = streams.open(view, after);
  // A view looks at its cone with the first change, which may be long after a client has been told that all is well.
  if (!streams.isFollowed(view.key)) await readCone(cone, sources);
  return events;
}

/**
 * State changes of runs, with progress in between.
 *
 * @throws InputError for a cursor that is not one; the stream itself throws what `EventStreams.open` names
 */
export function runEventStream(
  sources: EventSources,
  { filter, after }: StreamRequest<RunEventFilter>,
): AsyncGenerator<RunEvent, void, void> {
  return sources.streams.open(new RunEventView(filter ?? {}, sources), after);
}
