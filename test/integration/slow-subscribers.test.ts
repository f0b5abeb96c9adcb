import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn } from '#graph-schema';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber } from '../support/change-subscriber.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('slow');
const QUEUE = 10;
/** More bytes than the system takes from a server whose client does not read. */
const CHANGES = 40;
const LARGE = 'x'.repeat(400_000);

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('slow')]);
  app = await openHttpApp(graph, {
    temporal: temporal.client,
    queueLimits: { events: QUEUE, items: 1_000, size: 16_000_000 },
  });
});
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await temporal?.[Symbol.asyncDispose]();
  await graph?.[Symbol.asyncDispose]();
});

describe('a client that stops reading', () => {
  it('is cut off with LAGGED and can resume, while others are sent everything', async () => {
    const filter = { actors: [PREFIX] };
    await using slow = await ChangeSubscriber.open(app.socketUrl, { filter });
    await using other = await ChangeSubscriber.open(app.socketUrl, { filter });
    slow.stall();
    const written: string[] = [];
    for (let index = 0; index < CHANGES; index += 1) {
      const urn = datasetUrn(PREFIX, `large-${index}`);
      const { sequence } = await graph.store.upsertEntity(
        { kind: 'Dataset', urn, properties: { description: LARGE } },
        { actor: PREFIX },
      );
      written.push(encodeEventCursor(sequence ?? 0));
      // The other client is never behind, however long the slow one stands still.
      await other.until(() => other.changes.at(-1)?.cursor === written.at(-1));
    }
    expect(other.changes.map(({ cursor }) => cursor)).toEqual(written);
    expect(slow.ended).toBeUndefined();

    slow.goOn();
    await expect.poll(() => slow.ended, { timeout: 20_000 }).toBeDefined();
    const seen = slow.changes.map(({ cursor }) => cursor);
    expect(slow.ended).toMatchObject([{ extensions: { code: 'LAGGED', details: { cursor: seen.at(-1) } } }]);
    expect(seen.length).toBeGreaterThan(QUEUE - 1);
    expect(seen).toEqual(written.slice(0, seen.length));

    await using resumed = await ChangeSubscriber.open(app.socketUrl, { filter, after: seen.at(-1) });
    await resumed.until(() => resumed.changes.at(-1)?.cursor === written.at(-1));
    expect([...seen, ...resumed.changes.map(({ cursor }) => cursor)]).toEqual(written);
  });
});
