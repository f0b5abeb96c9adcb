import { AppError, InputError } from '#errors';
import { parseUrn } from '#graph-schema';
import type { Change, ChangeItem, ChangeLog, ErrorRecord, IngestionCatalog, RunRecord } from '#graph-store';
import type { ProgressEvent } from '#ingestion/contracts';
import { abortOnReturn } from './abort-on-return.js';
import type { ChangeFeed } from './change-feed.js';
import { decodeEventCursor, encodeEventCursor } from './event-cursor.js';
import { EventQueue } from './event-queue.js';
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

export interface RunEventSources {
  readonly feed: ChangeFeed;
  readonly log: ChangeLog;
  readonly progress: ProgressHub;
  readonly catalog: IngestionCatalog;
  readonly now: () => Date;
}

const QUEUE_LIMIT = 1_000;
const HEARTBEAT_MS = 15_000;
const BACKFILL_PAGE = 500;

/**
 * State changes of runs from the change log, with progress in between. With `after` the changes since that cursor are read
 * from the log first; the live feed is listened to before that, so nothing falls between the two.
 *
 * @throws InputError for a cursor that is not one; AppError LAGGED for a subscriber that reads too slowly
 */
export function runEventStream(
  sources: RunEventSources,
  request: { filter: RunEventFilter; after?: string | null | undefined },
): AsyncGenerator<RunEvent, void, void> {
  const after = request.after == null ? undefined : decodeEventCursor(request.after);
  return abortOnReturn((signal) => streamFrom(sources, request.filter, after, signal));
}

async function* streamFrom(
  sources: RunEventSources,
  filter: RunEventFilter,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, void, void> {
  const queue = new EventQueue<Change, ProgressEvent>(QUEUE_LIMIT, () => laggedAt(position));
  const live = await sources.feed.listen((change) => queue.push(change));
  const stopProgress = sources.progress.listen((event) => {
    if (matches(filter, event)) queue.replace(event.runId, event);
  });
  let position = after ?? live.position;
  const event = (kind: RunEvent['kind'], at: Date, rest: Partial<RunEvent> = {}): RunEvent => ({
    kind,
    at,
    cursor: encodeEventCursor(position),
    run: null,
    progress: null,
    ...rest,
  });
  try {
    if (position > live.position && position > (await sources.log.head())) {
      throw InputError.one('BAD_USER_INPUT', 'after', 'lies ahead of the change log: it is of another graph');
    }
    yield event('SUBSCRIBED', sources.now());
    while (position < live.position && !signal.aborted) {
      const changes = await sources.log.read({ after: position, upTo: live.position, limit: BACKFILL_PAGE });
      if (changes.length === 0) break;
      for (const change of changes) {
        position = change.sequence;
        for (const run of await runsOf(sources.catalog, filter, change))
          yield event('STATE_CHANGED', change.at, { run });
      }
    }
    while (!signal.aborted) {
      const { durable, ephemeral } = await queue.take(HEARTBEAT_MS, signal);
      for (const change of durable) {
        // `after` may be ahead of what this process has read so far: another process has sent that cursor.
        if (change.sequence <= position) continue;
        position = change.sequence;
        for (const run of await runsOf(sources.catalog, filter, change))
          yield event('STATE_CHANGED', change.at, { run });
      }
      for (const progress of ephemeral) yield event('PROGRESS', new Date(progress.at), { progress });
      if (durable.length === 0 && ephemeral.length === 0 && !signal.aborted) yield event('HEARTBEAT', sources.now());
    }
  } finally {
    live.stop();
    stopProgress();
  }
}

function laggedAt(position: number): AppError {
  return new AppError(
    'LAGGED',
    `more than ${QUEUE_LIMIT} events waited for this subscriber: subscribe again with the last cursor`,
    { details: { cursor: encodeEventCursor(position) } },
  );
}

/** The runs whose state a change moved. A change names only what changed, so the rest of a run is read from the catalog. */
async function runsOf(catalog: IngestionCatalog, filter: RunEventFilter, change: Change): Promise<RunSnapshot[]> {
  const runs: RunSnapshot[] = [];
  for (const item of change.items) {
    if (item.kind !== 'IngestionRun' || item.after.state === undefined) continue;
    const run = await catalog.run(parseUrn(item.urn).parts[0] ?? '');
    if (run === undefined || !matches(filter, { ...run, runId: run.id })) continue;
    const { id, urn, endpointId, unitId, sinkId, startedAt } = run;
    runs.push({ id, urn, endpointId, unitId, sinkId, startedAt, ...stateOf(item) });
  }
  return runs;
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
