import { parseUrn } from '#graph-schema';
import type { Change, ChangeItem, ErrorRecord, IngestionCatalog, RunRecord } from '#graph-store';
import type { ProgressEvent } from '#ingestion/contracts';
import { encodeEventCursor } from './event-cursor.js';
import type { EventWeight } from './event-queue.js';
import type { EventView } from './event-view.js';
import type { ProgressHub } from './progress-hub.js';

export interface RunEventFilter {
  readonly endpointId?: string | null | undefined;
  readonly unitId?: string | null | undefined;
  readonly runId?: string | null | undefined;
}

/** What the subscription shows of a run: its state at one change. */
type RunSnapshot = Pick<
  RunRecord,
  'id' | 'urn' | 'endpointId' | 'unitId' | 'sinkId' | 'state' | 'startedAt' | 'endedAt' | 'stats' | 'error'
>;

export interface RunEvent {
  readonly kind: 'SUBSCRIBED' | 'STATE_CHANGED' | 'PROGRESS' | 'HEARTBEAT';
  readonly cursor: string;
  readonly at: Date;
  readonly run: RunSnapshot | null;
  readonly progress: ProgressEvent | null;
}

/** The change log as `ingestionRunEvents` shows it under one filter: states of runs, and progress in between. */
export class RunEventView implements EventView<RunEvent, ProgressEvent> {
  readonly key: string;
  readonly ticks: NonNullable<EventView<RunEvent, ProgressEvent>['ticks']>;
  readonly #filter: RunEventFilter;
  readonly #catalog: IngestionCatalog;
  readonly #now: () => Date;

  constructor(filter: RunEventFilter, sources: { catalog: IngestionCatalog; progress: ProgressHub; now: () => Date }) {
    this.key = `ingestionRunEvents ${JSON.stringify([filter.endpointId, filter.unitId, filter.runId])}`;
    this.#filter = filter;
    this.#catalog = sources.catalog;
    this.#now = sources.now;
    this.ticks = {
      listen: (listener) =>
        sources.progress.listen((tick) => {
          if (matches(filter, tick)) listener(tick.runId, tick);
        }),
      show: (tick, cursor) => ({ kind: 'PROGRESS', cursor, at: new Date(tick.at), run: null, progress: tick }),
    };
  }

  async project(changes: readonly Change[]): Promise<readonly RunEvent[]> {
    const events: RunEvent[] = [];
    for (const change of changes) {
      const cursor = encodeEventCursor(change.sequence);
      for (const item of change.items) {
        const run = await this.#snapshot(item);
        if (run !== undefined) events.push({ kind: 'STATE_CHANGED', cursor, at: change.at, run, progress: null });
      }
    }
    return events;
  }

  mark(kind: 'SUBSCRIBED' | 'HEARTBEAT', cursor: string): RunEvent {
    return { kind, cursor, at: this.#now(), run: null, progress: null };
  }

  weightOf(event: RunEvent): EventWeight {
    return { items: 1, size: JSON.stringify(event).length };
  }

  /** The run whose state an item has moved. A change names only what changed, so the rest of a run is read from the catalog. */
  async #snapshot(item: ChangeItem): Promise<RunSnapshot | undefined> {
    if (item.kind !== 'IngestionRun' || item.after.state === undefined) return undefined;
    const run = await this.#catalog.run(parseUrn(item.urn).parts[0] ?? '');
    if (run === undefined || !matches(this.#filter, { ...run, runId: run.id })) return undefined;
    const { id, urn, endpointId, unitId, sinkId, startedAt } = run;
    return { id, urn, endpointId, unitId, sinkId, startedAt, ...stateOf(item) };
  }
}

function stateOf(item: ChangeItem): Pick<RunSnapshot, 'state' | 'endedAt' | 'stats' | 'error'> {
  const { state, endedAt, stats, errorCode, errorCategory, errorField, errorMessage } = item.after as Record<
    string,
    string | undefined
  >;
  const error: ErrorRecord | null =
    errorCode === undefined || errorCode === null
      ? null
      : {
          code: errorCode,
          category: errorCategory ?? 'internal',
          field: errorField ?? null,
          message: errorMessage ?? '',
        };
  return {
    state: state as RunSnapshot['state'],
    endedAt: endedAt === undefined ? null : new Date(endedAt),
    stats: stats === undefined ? null : (JSON.parse(stats) as Record<string, unknown>),
    error,
  };
}

function matches(filter: RunEventFilter, of: { endpointId: string; unitId: string; runId: string }): boolean {
  return (
    (filter.endpointId == null || filter.endpointId === of.endpointId) &&
    (filter.unitId == null || filter.unitId === of.unitId) &&
    (filter.runId == null || filter.runId === of.runId)
  );
}
