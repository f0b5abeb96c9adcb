import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn } from '#graph-schema';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber } from '../support/change-subscriber.js';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { openHttpApp } from '../support/http-app.js';
import { reconnectStorm } from '../support/reconnect-storm.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: OwnGraph;
let temporal: TestNamespace;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openOwnGraph(), openOwnNamespace('storm')]);
});
afterAll(async () => {
  await temporal?.[Symbol.asyncDispose]();
  await graph?.[Symbol.asyncDispose]();
});

describe('two server processes on one graph', () => {
  it('send every subscriber exactly the log, however often it is cut off, though one of them is killed', async () => {
    await reconnectStorm(graph, temporal.namespace, { sockets: 12, cuts: 5, seed: 20_261_123 });
  }, 180_000);
});

describe('a cursor behind the retention', () => {
  it('is refused with the oldest one that works', async () => {
    const written: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const { sequence } = await graph.store.upsertEntity(
        { kind: 'Dataset', urn: datasetUrn('retention', String(index)) },
        { actor: 'retention' },
      );
      written.push(encodeEventCursor(sequence ?? 0));
    }
    const head = await graph.log.head();
    await graph.log.prune(new Date(Date.now() + 60_000));
    expect(await graph.log.oldest()).toBe(head);
    await using app = await openHttpApp(graph, { temporal: temporal.client });

    await using expired = new ChangeSubscriber(app.socketUrl, { after: written[2] });
    await expect.poll(() => expired.ended).toBeDefined();
    expect(expired.ended).toMatchObject([{ extensions: { code: 'CURSOR_EXPIRED', details: { oldest: written[3] } } }]);
    expect(expired.events).toEqual([]);

    await using oldest = await ChangeSubscriber.open(app.socketUrl, { after: written[3] });
    await oldest.until(() => oldest.changes.length > 0);
    expect(oldest.changes[0]?.cursor).toBe(written[4]);
  });
});
