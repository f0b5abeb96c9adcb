import type { KindCatalog } from '#graph-schema';
import { type Change, type ChangeItem, visibleItem } from '#graph-store';
import { type EventPosition, encodeEventCursor } from './event-cursor.js';
import type { EventWeight } from './event-queue.js';
import type { EventView } from './event-view.js';
import type { ItemMatcher } from './graph-change-filter.js';

/** Items to an event, and to a part of a change. Where a change is cut does not depend on the filter. */
export const ITEMS_PER_EVENT = 500;

export interface GraphChangeItem extends Pick<ChangeItem, 'urn' | 'kind' | 'version' | 'before' | 'after'> {
  readonly operation: Uppercase<ChangeItem['operation']>;
  readonly to: string | null;
}

export interface GraphChange {
  readonly cursor: string;
  readonly at: Date;
  readonly actor: string;
  readonly runId: string | null;
  readonly items: readonly GraphChangeItem[];
  /** Characters of the items as JSON, roughly. */
  readonly size: number;
}

export interface GraphChangeEvent {
  readonly kind: 'SUBSCRIBED' | 'CHANGES' | 'HEARTBEAT';
  readonly cursor: string;
  readonly at: Date;
  readonly changes: readonly GraphChange[];
}

/** Where a view finds out what may be shown of an item. */
export interface ItemKinds {
  catalogFor(items: readonly ChangeItem[]): Promise<KindCatalog>;
}

/** Items as they are shown, made once however many filters they match. */
const SHOWN = new WeakMap<ChangeItem, GraphChangeItem>();

const SIZES = new WeakMap<GraphChangeItem, number>();

/** The change log as `graphChanges` shows it under one filter. */
export class GraphChangeView implements EventView<GraphChangeEvent> {
  readonly key: string;
  readonly #matcher: ItemMatcher;
  readonly #kinds: ItemKinds;
  readonly #now: () => Date;

  constructor(matcher: ItemMatcher, sources: { kinds: ItemKinds; now: () => Date }) {
    this.key = `graphChanges ${matcher.key}`;
    this.#matcher = matcher;
    this.#kinds = sources.kinds;
    this.#now = sources.now;
  }

  async project(changes: readonly Change[], after?: EventPosition): Promise<readonly GraphChangeEvent[]> {
    const candidates = changes.flatMap((change) => partsOf(change, after).flatMap((part) => this.#candidate(part)));
    const catalog = await this.#kinds.catalogFor(candidates.flatMap((part) => part.items));
    const events: GraphChangeEvent[] = [];
    let waiting: GraphChange[] = [];
    let count = 0;
    for (const { change, cursor, items } of candidates) {
      const shown = items
        .map((item) => showItem(item, catalog))
        .filter((item) => this.#matcher.matchesProperties(item));
      if (shown.length === 0) continue;
      if (count > 0 && count + shown.length > ITEMS_PER_EVENT) {
        events.push(eventOf(waiting));
        waiting = [];
        count = 0;
      }
      const { at, actor, runId } = change;
      waiting.push({ cursor, at, actor, runId, items: shown, size: sizeOf(shown, change) });
      count += shown.length;
    }
    if (waiting.length > 0) events.push(eventOf(waiting));
    return events;
  }

  mark(kind: 'SUBSCRIBED' | 'HEARTBEAT', cursor: string): GraphChangeEvent {
    return { kind, cursor, at: this.#now(), changes: [] };
  }

  weightOf({ changes }: GraphChangeEvent): EventWeight {
    return {
      items: changes.reduce((total, { items }) => total + items.length, 0),
      size: changes.reduce((total, { size }) => total + size, 0),
    };
  }

  #candidate(part: ChangePart): ChangePart[] {
    if (!this.#matcher.matchesChange(part.change)) return [];
    const items = part.items.filter((item) => this.#matcher.matchesItem(item));
    return items.length === 0 ? [] : [{ ...part, items }];
  }
}

interface ChangePart {
  readonly change: Change;
  readonly cursor: string;
  readonly items: readonly ChangeItem[];
}

function partsOf(change: Change, after: EventPosition | undefined): ChangePart[] {
  const { sequence, items } = change;
  if (items.length <= ITEMS_PER_EVENT) return [{ change, cursor: encodeEventCursor(sequence), items }];
  const done = after?.sequence === sequence ? (after.part ?? 0) : 0;
  const count = Math.ceil(items.length / ITEMS_PER_EVENT);
  return Array.from({ length: count }, (_, index) => ({
    change,
    cursor: encodeEventCursor(sequence, index + 1),
    items: items.slice(index * ITEMS_PER_EVENT, (index + 1) * ITEMS_PER_EVENT),
  })).slice(done);
}

function showItem(item: ChangeItem, catalog: KindCatalog): GraphChangeItem {
  const known = SHOWN.get(item);
  if (known !== undefined) return known;
  const { urn, kind, to, version, operation, before, after } = visibleItem(item, catalog);
  const shown = {
    operation: operation.toUpperCase() as GraphChangeItem['operation'],
    urn,
    kind,
    to: to ?? null,
    version,
    before,
    after,
  };
  SHOWN.set(item, shown);
  return shown;
}

/** Most changes are shown whole or not at all, so this seldom has to look at the items. */
function sizeOf(shown: readonly GraphChangeItem[], change: Change): number {
  if (shown.length === change.items.length) return change.size;
  return shown.reduce((total, item) => total + sizeOfItem(item), 0);
}

function sizeOfItem(item: GraphChangeItem): number {
  const known = SIZES.get(item);
  if (known !== undefined) return known;
  const size = JSON.stringify(item).length;
  SIZES.set(item, size);
  return size;
}

function eventOf(changes: readonly GraphChange[]): GraphChangeEvent {
  const last = changes.at(-1);
  if (last === undefined) throw new RangeError('an event of no changes');
  return { kind: 'CHANGES', cursor: last.cursor, at: last.at, changes };
}
