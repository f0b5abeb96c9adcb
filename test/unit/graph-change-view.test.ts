import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KindCatalog } from '#graph-schema';
import type { Change, ChangeItem } from '#graph-store';
import { decodeEventPosition, type EventPosition } from '../../server/events/event-cursor.js';
import { ChangeMatcher } from '../../server/events/graph-change-filter.js';
import { type GraphChangeEvent, GraphChangeView, ITEMS_PER_EVENT } from '../../server/events/graph-change-view.js';

const catalog = new KindCatalog();
const viewOf = (filter: ConstructorParameters<typeof ChangeMatcher>[0]) =>
  new GraphChangeView(new ChangeMatcher(filter), {
    kinds: { catalogFor: async () => catalog },
    now: () => new Date(0),
  });

const KINDS = ['Dataset', 'Tag', 'Owner'];

function changeOf(sequence: number, size: number): Change {
  const items = Array.from(
    { length: size },
    (_, index): ChangeItem => ({
      operation: 'created',
      urn: `nucleus:dataset:unit:${sequence}-${index}`,
      kind: KINDS[(sequence * 7 + index) % KINDS.length] ?? '',
      version: 1,
      before: {},
      after: { description: String(index) },
      previous: null,
    }),
  );
  return {
    sequence,
    id: String(sequence),
    at: new Date(0),
    actor: 'unit',
    runId: null,
    items,
    size: JSON.stringify(items).length,
  };
}

const urnsOf = (events: readonly GraphChangeEvent[]) =>
  events.flatMap(({ changes }) => changes.flatMap(({ items }) => items.map(({ urn }) => urn)));

/** Whether a position comes before another one in the log. */
const isBefore = (one: EventPosition, other: EventPosition) =>
  one.sequence < other.sequence ||
  (one.sequence === other.sequence && (one.part ?? Infinity) < (other.part ?? Infinity));

const logs = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 400, max: 1_700 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((sizes) => sizes.map((size, index) => changeOf(index + 1, size)));
const kindFilters = fc.option(fc.constantFrom(...KINDS.map((kind) => ({ kinds: [kind] }))), { nil: {} });

describe('the view of graphChanges', () => {
  it('sends all that matches, once and in order, in events of bounded size with growing cursors', async () => {
    await fc.assert(
      fc.asyncProperty(logs, kindFilters, async (log, filter) => {
        const events = await viewOf(filter).project(log);
        const wanted = log.flatMap(({ items }) =>
          items.filter(({ kind }) => !('kinds' in filter) || filter.kinds.includes(kind)).map(({ urn }) => urn),
        );
        expect(urnsOf(events)).toEqual(wanted);
        for (const { cursor, changes } of events) {
          expect(changes.reduce((total, { items }) => total + items.length, 0)).toBeLessThanOrEqual(ITEMS_PER_EVENT);
          expect(changes.at(-1)?.cursor).toBe(cursor);
        }
        const positions = events.flatMap(({ changes }) => changes.map(({ cursor }) => decodeEventPosition(cursor)));
        for (const [index, position] of positions.slice(1).entries()) {
          expect(isBefore(positions[index] ?? position, position)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('goes on after any of its cursors, under this filter or another, with exactly what comes behind it', async () => {
    await fc.assert(
      fc.asyncProperty(logs, kindFilters, kindFilters, fc.nat(), async (log, first, second, pick) => {
        const cursors = (await viewOf(first).project(log)).flatMap(({ changes }) =>
          changes.map(({ cursor }) => cursor),
        );
        fc.pre(cursors.length > 0);
        const after = decodeEventPosition(cursors[pick % cursors.length] ?? '');
        const rest = log.filter(({ sequence }) => sequence > after.sequence - (after.part === undefined ? 0 : 1));
        const expected = (await viewOf(second).project(log))
          .flatMap(({ changes }) => changes)
          .filter(({ cursor }) => isBefore(after, decodeEventPosition(cursor)))
          .flatMap(({ items }) => items.map(({ urn }) => urn));
        expect(urnsOf(await viewOf(second).project(rest, after))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('knows filters that mean the same', () => {
    expect(viewOf({ kinds: ['Tag', 'Dataset', 'Tag'], urns: null }).key).toBe(
      viewOf({ kinds: ['Dataset', 'Tag'] }).key,
    );
    expect(viewOf({ kinds: ['Tag'] }).key).not.toBe(viewOf({ labels: ['Tag'] }).key);
    expect(viewOf({}).key).not.toBe(viewOf({ kinds: ['Tag'] }).key);
  });

  it('weighs events by what they show', async () => {
    const change = changeOf(1, 30);
    const [whole] = await viewOf({}).project([change]);
    const [some] = await viewOf({ kinds: ['Tag'] }).project([change]);
    if (whole === undefined || some === undefined) throw new Error('there are events');
    expect(viewOf({}).weightOf(whole)).toEqual({ items: 30, size: change.size });
    const { items, size } = viewOf({}).weightOf(some);
    expect(items).toBe(10);
    expect(size).toBe(
      some.changes.flatMap(({ items: shown }) => shown).reduce((sum, item) => sum + JSON.stringify(item).length, 0),
    );
  });
});
