import type { Change, ChangeItem, LineageReader, RunLineageReader } from '#graph-store';
import type { EventPosition } from './event-cursor.js';
import type { EventWeight } from './event-queue.js';
import type { EventView } from './event-view.js';
import { type GraphChangeEvent, GraphChangeView, type ItemKinds } from './graph-change-view.js';
import { type ConeRequest, type ConeSources, isLineage, LineageCone } from './lineage-cone.js';

export interface LineageChangeSources extends ConeSources {
  readonly lineage: Pick<LineageReader, 'walk'> & Pick<RunLineageReader, 'jobsOfRuns'>;
  readonly kinds: ItemKinds;
  readonly now: () => Date;
}

/** The change log as `lineageChanges` shows it: what happens in one cone, in the events of `graphChanges`. */
export class LineageChangeView implements EventView<GraphChangeEvent> {
  readonly key: string;
  readonly #cone: LineageCone;
  readonly #sources: LineageChangeSources;
  readonly #shell: GraphChangeView;

  constructor(request: ConeRequest, sources: LineageChangeSources) {
    const { urn, direction, depth } = request;
    this.key = `lineageChanges ${JSON.stringify([urn, direction, depth ?? null])}`;
    this.#cone = new LineageCone(request, sources);
    this.#sources = sources;
    this.#shell = this.#showing(new Set());
  }

  async project(changes: readonly Change[], after?: EventPosition): Promise<readonly GraphChangeEvent[]> {
    return this.#showing(await this.#itemsIn(changes)).project(changes, after);
  }

  mark(kind: 'SUBSCRIBED' | 'HEARTBEAT', cursor: string): GraphChangeEvent {
    return this.#shell.mark(kind, cursor);
  }

  weightOf(event: GraphChangeEvent): EventWeight {
    return this.#shell.weightOf(event);
  }

  async #itemsIn(changes: readonly Change[]): Promise<ReadonlySet<ChangeItem>> {
    const told = new Set<ChangeItem>();
    if (changes.length === 0) return told;
    const membersAt = await this.#cone.membersDuring(changes);
    const runs: { readonly item: ChangeItem; readonly at: Date; readonly members: ReadonlySet<string> }[] = [];
    for (const { sequence, at, items } of changes) {
      const members = membersAt(sequence);
      const leaving = runsLeaving(items, members);
      for (const item of items) {
        const { urn, to, kind } = item;
        if (leaving.has(item)) told.add(item);
        else if (isNewState(item)) runs.push({ item, at, members });
        else if (to === undefined ? members.has(urn) : isLineage(kind) && members.has(urn) && members.has(to))
          told.add(item);
      }
    }
    const jobs = await this.#sources.lineage.jobsOfRuns([...new Set(runs.map(({ item }) => item.urn))]);
    for (const { item, at, members } of runs) {
      const known = jobs.get(item.urn)?.filter(({ since }) => since <= at) ?? [];
      if (known.some(({ job }) => members.has(job))) told.add(item);
    }
    return told;
  }

  #showing(told: ReadonlySet<ChangeItem>): GraphChangeView {
    const matcher = {
      key: this.key,
      matchesChange: () => true,
      matchesItem: (item: ChangeItem) => told.has(item),
      matchesProperties: () => true,
    };
    return new GraphChangeView(matcher, this.#sources);
  }
}

/** Runs that retention removes. It tells of which jobs they were in the same change, since the graph cannot afterwards. */
function runsLeaving(items: readonly ChangeItem[], members: ReadonlySet<string>): ReadonlySet<ChangeItem> {
  const purged = items.filter(({ operation, kind }) => operation === 'purged' && kind === 'Run');
  if (purged.length === 0) return new Set();
  const links = items.filter(({ operation, kind }) => operation === 'deleted' && kind === 'HAS_RUN');
  const left = new Set(links.filter(({ urn }) => members.has(urn)).map(({ to }) => to));
  return new Set(purged.filter(({ urn }) => left.has(urn)));
}

function isNewState({ kind, to, after }: ChangeItem): boolean {
  return to === undefined && (kind === 'Run' || kind === 'IngestionRun') && Object.hasOwn(after, 'state');
}
