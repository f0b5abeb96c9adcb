import type { IngestionCatalog } from '#graph-store';
import type { EventStreams } from './event-streams.js';
import { ChangeMatcher, type GraphChangeFilter } from './graph-change-filter.js';
import { type GraphChangeEvent, GraphChangeView, type ItemKinds } from './graph-change-view.js';
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
