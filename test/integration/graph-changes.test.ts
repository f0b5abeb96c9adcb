import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, definedKind, endpointUrn, formatUrn } from '#graph-schema';
import { decodeEventCursor, encodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber, type SeenChange } from '../support/change-subscriber.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('changes');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('changes')]);
  app = await openHttpApp(graph, { temporal: temporal.client, heartbeatMs: 200 });
});
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await temporal?.[Symbol.asyncDispose]();
  await graph?.[Symbol.asyncDispose]();
});

const dataset = (name: string) => datasetUrn(PREFIX, name);

/** Writes data sets in one transaction. @returns the cursor of the change */
async function write(
  names: readonly string[],
  properties: Record<string, string> = {},
  actor = PREFIX,
): Promise<string> {
  const entities = names.map((name) => ({ kind: 'Dataset' as const, urn: dataset(name), name, properties }));
  const { sequence } = await graph.store.write({ entities }, { actor });
  return encodeEventCursor(sequence ?? 0);
}

/** Clients cannot tell the order of cursors; a test that looks behind them can. */
const reaches = (cursor: string, other: string) => decodeEventCursor(cursor) >= decodeEventCursor(other);
const byActor = { actors: [PREFIX] };
const urnsOf = (changes: readonly SeenChange[]) => changes.flatMap(({ items }) => items.map((item) => item.urn));

describe('a subscription to changes of the graph', () => {
  it('tells where it starts, then what happens, in the words of the API', async () => {
    await using subscriber = await ChangeSubscriber.open(app.socketUrl, { filter: byActor });
    expect(subscriber.events[0]).toEqual({ kind: 'SUBSCRIBED', cursor: expect.any(String), changes: [] });
    const cursor = await write(['told'], { description: 'first' });
    await write(['told'], { description: 'second' });
    await subscriber.until(() => subscriber.changes.length === 2);
    const [created, updated] = subscriber.changes;
    expect(created).toMatchObject({ cursor, actor: PREFIX, runId: null });
    expect(created?.items[0]).toMatchObject({ operation: 'CREATED', kind: 'Dataset', to: null, version: 1 });
    expect(updated?.items[0]).toMatchObject({
      operation: 'UPDATED',
      urn: dataset('told'),
      version: 2,
      before: { description: 'first' },
      after: { description: 'second' },
    });
  });

  it('that resumes is sent exactly what it has missed, then what happens', async () => {
    const start = await write(['missed-0']);
    for (const name of ['missed-1', 'missed-2']) await write([name]);
    await using subscriber = await ChangeSubscriber.open(app.socketUrl, { filter: byActor, after: start });
    expect(subscriber.events[0]?.cursor).toBe(start);
    await write(['missed-3']);
    await subscriber.until(() => subscriber.changes.length >= 3);
    expect(urnsOf(subscriber.changes)).toEqual(['missed-1', 'missed-2', 'missed-3'].map(dataset));
  });

  it('sends a large change in parts, and resumes within it', async () => {
    const start = await write(['before-large']);
    const names = Array.from({ length: 1_203 }, (_, index) => `large-${String(index).padStart(4, '0')}`);
    await write(names);
    await using whole = await ChangeSubscriber.open(app.socketUrl, { filter: byActor, after: start });
    await whole.until(() => whole.items.length === names.length);
    const sizes = whole.changes.map(({ items }) => items.length);
    expect(sizes).toEqual([500, 500, 203]);
    expect(new Set(whole.changes.map(({ cursor }) => cursor)).size).toBe(3);

    const [first] = whole.changes;
    await using rest = await ChangeSubscriber.open(app.socketUrl, { filter: byActor, after: first?.cursor });
    await rest.until(() => rest.items.length >= 703);
    expect(rest.changes).toEqual(whole.changes.slice(1));

    // Cuts lie at the same places under another filter.
    const two = [names[100], names[1_100]].map((name) => dataset(name ?? ''));
    await using some = await ChangeSubscriber.open(app.socketUrl, { filter: { urns: two }, after: start });
    await some.until(() => some.items.length === 2);
    expect(some.changes.map(({ cursor }) => cursor)).toEqual([whole.changes[0]?.cursor, whole.changes[2]?.cursor]);
    await using after = await ChangeSubscriber.open(app.socketUrl, {
      filter: { urns: two },
      after: whole.changes[1]?.cursor,
    });
    await after.until(() => after.items.length >= 1);
    expect(after.items.map((item) => item.urn)).toEqual([two[1]]);
  });

  it('loses and doubles nothing between the past and the present while others write', async () => {
    const actor = `${PREFIX}-hand-over`;
    const start = await write(['hand-over'], {}, actor);
    const written: string[] = [];
    const writing = (async () => {
      for (let round = 0; round < 60; round += 1) written.push(await write([`round-${round}`], {}, actor));
    })();
    const subscribers = Array.from({ length: 8 }, async (_, index) => {
      // Each comes at another moment of the writing, by what has been written and not by the clock.
      await expect.poll(() => written.length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(index * 6);
      await using subscriber = await ChangeSubscriber.open(app.socketUrl, {
        filter: { actors: [actor] },
        after: start,
      });
      await writing;
      await subscriber.until(() => subscriber.changes.at(-1)?.cursor === written.at(-1));
      return subscriber.changes.map(({ cursor }) => cursor);
    });
    for (const cursors of await Promise.all(subscribers)) expect(cursors).toEqual(written);
  });

  it('keeps the cursor of an idle client fresh', async () => {
    await using subscriber = await ChangeSubscriber.open(app.socketUrl, { filter: { actors: ['nobody'] } });
    const cursor = await write(['heartbeat']);
    const beat = await subscriber.until(() =>
      subscriber.events.find((event) => event.kind === 'HEARTBEAT' && reaches(event.cursor, cursor)),
    );
    expect(beat.changes).toEqual([]);
    await using resumed = await ChangeSubscriber.open(app.socketUrl, { filter: byActor, after: beat.cursor });
    await write(['after-heartbeat']);
    await resumed.until(() => resumed.items.length > 0);
    expect(urnsOf(resumed.changes)).toEqual([dataset('after-heartbeat')]);
  });

  it('finds by kind, either end, label, property, actor and operation, all of them together', async () => {
    const actor = `${PREFIX}-filter`;
    const kind = definedKind(`Kind${PREFIX.replaceAll(/\W/g, '')}`);
    const own = formatUrn(PREFIX.toLowerCase(), ['own']);
    const [tag, job] = [formatUrn('tag', [PREFIX]), formatUrn('job', [PREFIX, 'job'])];
    const start = await write(['filter'], { description: 'x' }, actor);
    await graph.store.write(
      {
        entities: [
          { kind: 'Tag', urn: tag },
          { kind: 'IngestionUnit', urn: job, properties: { mode: 'full' } },
          { kind, urn: own },
          { kind: 'Dataset', urn: dataset('filter'), properties: { description: 'y' } },
        ],
        edges: [{ kind: 'TAGGED', from: dataset('filter'), to: tag }],
      },
      { actor },
    );
    const cases: [object, string[]][] = [
      [{ kinds: ['TAGGED', kind] }, [own, dataset('filter')]],
      [{ urns: [tag] }, [tag, dataset('filter')]],
      [{ labels: ['Job'] }, [job]],
      [{ labels: [kind, 'Tag'] }, [tag, own]],
      [{ changedProperties: ['mode'] }, [job]],
      [{ operations: ['UPDATED'] }, [dataset('filter')]],
      [{ operations: ['CREATED'], labels: ['Entity'] }, [tag, job, own]],
      [{ operations: ['UPDATED'], kinds: ['TAGGED'] }, []],
    ];
    const end = await write(['filter-end'], {}, `${actor}-end`);
    for (const [filter, expected] of cases) {
      const both = { ...filter, actors: [actor] };
      await using subscriber = await ChangeSubscriber.open(app.socketUrl, { filter: both, after: start });
      // A heartbeat beyond the end says that all of it was looked at.
      await subscriber.until(() =>
        subscriber.events.some((event) => event.kind === 'HEARTBEAT' && reaches(event.cursor, end)),
      );
      expect(urnsOf(subscriber.changes).sort(), JSON.stringify(filter)).toEqual([...expected].sort());
    }
  });

  it('shows nothing that is hidden, and finds nothing by it', async () => {
    const urn = endpointUrn(`${PREFIX}-hidden`);
    await using subscriber = await ChangeSubscriber.open(app.socketUrl, { filter: { urns: [urn] } });
    await using searching = await ChangeSubscriber.open(app.socketUrl, {
      filter: { urns: [urn], changedProperties: ['config'] },
    });
    const properties = { vendor: 'acme', config: '{"password":"sealed"}' };
    const { sequence } = await graph.store.upsertEntity(
      { kind: 'MetadataEndpoint', urn, properties },
      { actor: PREFIX },
    );
    await subscriber.until(() => subscriber.items.length > 0);
    expect(JSON.stringify(subscriber.events)).not.toContain('sealed');
    expect(subscriber.items[0]?.after).toMatchObject({ vendor: 'acme' });
    const end = encodeEventCursor(sequence ?? 0);
    await searching.until(() => searching.cursor !== undefined && reaches(searching.cursor, end));
    expect(searching.items).toEqual([]);
  });

  it.each([
    ['a cursor that is none', { after: 'yesterday' }, 'after'],
    ['a cursor of another graph', { after: encodeEventCursor(9_000_000_000) }, 'after'],
    ['an empty list', { filter: { kinds: [] } }, 'filter.kinds'],
    ['a list that is too long', { filter: { urns: Array.from({ length: 1_001 }, String) } }, 'filter.urns'],
  ])('is refused with %s', async (_, request, field) => {
    await using subscriber = new ChangeSubscriber(app.socketUrl, request);
    await expect.poll(() => subscriber.ended).toBeDefined();
    expect(subscriber.ended).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(JSON.stringify(subscriber.ended)).toContain(field);
    expect(subscriber.events).toEqual([]);
  });
});
