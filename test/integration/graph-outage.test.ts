import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { datasetUrn } from '#graph-schema';
import { Neo4jChangeLog } from '#graph-store';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber } from '../support/change-subscriber.js';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

/** The log, with a store that stops answering when the test says so. */
class FailingLog extends Neo4jChangeLog {
  isDown = false;

  override async head(): Promise<number> {
    this.#check();
    return super.head();
  }

  override async read(range: Parameters<Neo4jChangeLog['read']>[0]): ReturnType<Neo4jChangeLog['read']> {
    this.#check();
    return super.read(range);
  }

  #check(): void {
    if (this.isDown) throw new AppError('STORE_UNAVAILABLE', 'Neo4j does not answer', { details: { store: 'neo4j' } });
  }
}

let graph: OwnGraph;
let temporal: TestNamespace;
let app: HttpApp;
let log: FailingLog;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openOwnGraph(), openOwnNamespace('outage')]);
  log = new FailingLog(graph.driver);
  // Lies before all that the server has seen happen, so it has to read it from the log.
  await write('long ago');
  app = await openHttpApp({ ...graph, log }, { temporal: temporal.client });
}, 120_000);
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

/** @returns the cursor of the change */
async function write(name: string): Promise<string> {
  const { sequence } = await graph.store.upsertEntity(
    { kind: 'Dataset', urn: datasetUrn('outage', name) },
    { actor: 'outage' },
  );
  return encodeEventCursor(sequence ?? 0);
}

const cursorsOf = (subscriber: ChangeSubscriber) => subscriber.changes.map(({ cursor }) => cursor);

describe('while the log cannot be read', () => {
  it('live subscriptions stay open and silent, and go on without a gap; new ones are told to come back', async () => {
    await using live = await ChangeSubscriber.open(app.socketUrl);
    const written = [await write('seen')];
    await live.until(() => live.changes.length === 1);
    log.isDown = true;
    written.push(await write('unseen'), await write('unseen-too'));
    await expect.poll(() => app.log()).toContain('the change log cannot be read');
    await using newcomer = new ChangeSubscriber(app.socketUrl, { after: encodeEventCursor(0) });
    await expect.poll(() => newcomer.ended).toBeDefined();
    expect(newcomer.ended).toMatchObject([{ extensions: { code: 'STORE_UNAVAILABLE', retryable: true } }]);
    expect(cursorsOf(live)).toEqual(written.slice(0, 1));

    log.isDown = false;
    await live.until(() => live.changes.length === written.length);
    expect(cursorsOf(live)).toEqual(written);
    expect(live.ended).toBeUndefined();
  });

  it('since the server of the graph is down, they go on as soon as it is up', async () => {
    await using live = await ChangeSubscriber.open(app.socketUrl);
    const written = [await write('before')];
    await live.until(() => live.changes.length === 1);
    await graph.server.outage(async () => {
      await expect(graph.driver.verifyConnectivity()).rejects.toThrow();
    });
    written.push(await write('after'));
    await live.until(() => live.changes.length === written.length);
    expect(cursorsOf(live)).toEqual(written);
    expect(live.ended).toBeUndefined();
  }, 120_000);
});

describe('after a crash of the server of the graph', () => {
  it('searches find all that was committed, though the index is brought up to date behind the commits', async () => {
    const names = Array.from({ length: 20 }, (_, row) => `survivor_${row}`);
    for (const name of names) await write(name);
    await graph.server.crash();
    await expect.poll(() => graph.driver.verifyConnectivity().then(() => 'up', String)).toBe('up');
    const found = await graph.knowledge.reader.search({ text: 'survivor' }).page({ first: 50 });
    expect(found.rows.map(({ record }) => record.entity.name).sort()).toEqual(names.sort());
    expect((await graph.log.read({ after: 0, upTo: await graph.log.head(), limit: 1_000 })).length).toBe(
      await graph.log.head(),
    );
  }, 120_000);
});
