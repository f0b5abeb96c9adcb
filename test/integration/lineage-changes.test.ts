import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn, runUrn } from '#graph-schema';
import type { EdgeUpsert, EntityUpsert, GraphBatch } from '#graph-store';
import { decodeEventCursor, encodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber } from '../support/change-subscriber.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';
import { type ToldItem, toldByLog, type WatchedCone } from '../support/watched-cone.js';

const PREFIX = uniquePrefix('lineage-changes');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
/** Another server of the same graph. */
let other: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('lineage-changes')]);
  [app, other] = (await Promise.all(
    [0, 1].map(() => openHttpApp(graph, { temporal: temporal.client, heartbeatMs: 200 })),
  )) as [HttpApp, HttpApp];
});
afterAll(async () => {
  for (const part of [app, other, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

let stories = 0;
/** Names of one test. */
function names() {
  const space = `${PREFIX}-${stories++}`;
  return {
    dataset: (name: string): string => datasetUrn(space, name),
    job: (name: string): string => formatUrn('job', [space, name]),
    run: (name: string): string => runUrn(`${space}-${name}`),
  };
}

const dataset = (urn: string, properties: EntityUpsert['properties'] = {}): EntityUpsert => ({
  ...{ kind: 'Dataset', urn, name: urn, properties },
});
const job = (urn: string): EntityUpsert => ({ kind: 'Job', urn, name: urn });
const feeds = (from: string, to: string, properties: EdgeUpsert['properties'] = {}): EdgeUpsert => ({
  ...{ kind: 'FEEDS', from, to, properties },
});
const produces = (from: string, to: string): EdgeUpsert => ({ kind: 'PRODUCES', from, to });

/** @returns the cursor of the change */
async function write(batch: GraphBatch): Promise<string> {
  const { sequence } = await graph.store.write(batch, { actor: PREFIX });
  return encodeEventCursor(sequence ?? 0);
}

const watching = ({ urn, direction, depth }: WatchedCone) => `subscription($after: String) {
  graphChanges: lineageChanges(urn: "${urn}", direction: ${direction}, depth: ${depth}, after: $after) {
    kind cursor changes { cursor actor runId items { operation urn kind to version before after } }
  }
}`;

async function watch(cone: WatchedCone, after?: string, server = app): Promise<ChangeSubscriber> {
  const subscriber = new ChangeSubscriber(server.socketUrl, { after }, watching(cone));
  await subscriber.until(() => subscriber.events.find(({ kind }) => kind === 'SUBSCRIBED'));
  return subscriber;
}

/** How a subscription has ended. */
const endOf = (subscriber: ChangeSubscriber) => expect.poll(() => subscriber.ended, { timeout: 30_000 });

const toldTo = (subscriber: ChangeSubscriber): ToldItem[] =>
  subscriber.changes.flatMap(({ cursor, items }) =>
    items.map(({ operation, kind, urn, to }) => [cursor, operation, kind, urn, to].join(' ')),
  );

/** Waits until a subscriber has come past a change, whether it was told of it or not. */
const past = (subscriber: ChangeSubscriber, cursor: string) =>
  subscriber.until(() => decodeEventCursor(subscriber.cursor ?? '') >= decodeEventCursor(cursor));

/** `raw → load → orders → sum → report`. */
async function writeChain({ dataset: d, job: j }: ReturnType<typeof names>): Promise<string> {
  return write({
    entities: [
      ...['raw', 'orders', 'report'].map((name) => dataset(d(name))),
      ...['load', 'sum'].map((name) => job(j(name))),
    ],
    edges: [
      feeds(d('raw'), j('load')),
      produces(j('load'), d('orders')),
      feeds(d('orders'), j('sum')),
      produces(j('sum'), d('report')),
    ],
  });
}

describe('a subscription to changes of lineage', () => {
  it('tells what changes in the cone, and nothing of what lies beside it', async () => {
    const story = names();
    const { dataset: d, job: j, run: r } = story;
    const start = await writeChain(story);
    await using subscriber = await watch({ urn: d('orders'), direction: 'UPSTREAM', depth: 3 });
    const renamed = await write({ entities: [{ ...dataset(d('raw')), name: 'raw, renamed' }] });
    await write({ entities: [dataset(d('report'), { description: 'downstream' }), dataset(d('elsewhere'))] });
    const [begun, ended] = [
      await write({
        entities: [{ kind: 'Run', urn: r('1'), name: '1', properties: { state: 'RUNNING' } }],
        edges: [{ kind: 'HAS_RUN', from: j('load'), to: r('1') }],
      }),
      await write({ entities: [{ kind: 'Run', urn: r('1'), name: '1', properties: { state: 'COMPLETE' } }] }),
    ];
    await write({ entities: [{ kind: 'Run', urn: r('1'), name: '1', properties: { errorMessage: 'none' } }] });
    await write({
      entities: [{ kind: 'Run', urn: r('2'), name: '2', properties: { state: 'RUNNING' } }],
      edges: [{ kind: 'HAS_RUN', from: j('sum'), to: r('2') }],
    });
    const changed = await write({ edges: [feeds(d('raw'), j('load'), { current: false, validTo: ['2024-01-01'] })] });
    const removed = await write({ edgeDeletions: [{ kind: 'FEEDS', from: d('raw'), to: j('load') }] });
    const deleted = await write({ deletions: [{ urn: d('raw') }] });
    await past(subscriber, deleted);
    const told = [
      [renamed, 'UPDATED', 'Dataset', d('raw'), null],
      [begun, 'CREATED', 'Run', r('1'), null],
      [ended, 'UPDATED', 'Run', r('1'), null],
      [changed, 'UPDATED', 'FEEDS', d('raw'), j('load')],
      [removed, 'DELETED', 'FEEDS', d('raw'), j('load')],
      [deleted, 'DELETED', 'Dataset', d('raw'), null],
    ].map((item) => item.join(' '));
    expect(toldTo(subscriber)).toEqual(told);
    // Who comes later, to another server, is told the same.
    await using later = await watch({ urn: d('orders'), direction: 'UPSTREAM', depth: 3 }, start, other);
    await past(later, deleted);
    expect(later.changes).toEqual(subscriber.changes);
  });

  it('grows with the cone: first the edge that brings something in, then what happens there', async () => {
    const story = names();
    const { dataset: d, job: j } = story;
    const start = await writeChain(story);
    await write({
      entities: [dataset(d('far')), dataset(d('farther')), job(j('import')), job(j('export'))],
      edges: [feeds(d('farther'), j('export')), produces(j('export'), d('far'))],
    });
    await using subscriber = await watch({ urn: d('orders'), direction: 'UPSTREAM', depth: null });
    await write({ entities: [dataset(d('farther'), { description: 'before' })] });
    const joined = await write({ edges: [feeds(d('far'), j('import')), produces(j('import'), d('raw'))] });
    const after = await write({ entities: [dataset(d('farther'), { description: 'after' })] });
    await past(subscriber, after);
    const told = [
      [joined, 'CREATED', 'FEEDS', d('far'), j('import')],
      [joined, 'CREATED', 'PRODUCES', j('import'), d('raw')],
      [after, 'UPDATED', 'Dataset', d('farther'), null],
    ].map((item) => item.join(' '));
    expect(toldTo(subscriber)).toEqual(told);
    await using later = await watch({ urn: d('orders'), direction: 'UPSTREAM', depth: null }, start, other);
    await past(later, after);
    expect(toldTo(later)).toEqual(told);
  });

  it('has the depth that was asked for', async () => {
    const story = names();
    const { dataset: d, job: j } = story;
    const start = await writeChain(story);
    const near = await write({ entities: [dataset(d('orders'), { description: 'near' })] });
    const far = await write({ entities: [dataset(d('raw'), { description: 'far' })] });
    await write({
      entities: [job(j('early'))],
      edges: [produces(j('early'), d('orders')), produces(j('early'), d('raw'))],
    });
    await using subscriber = await watch({ urn: d('report'), direction: 'UPSTREAM', depth: 1 }, start);
    await past(subscriber, far);
    expect(toldTo(subscriber)).toEqual([[near, 'UPDATED', 'Dataset', d('orders'), null].join(' ')]);
  });

  it('tells the same live, and to all who resume anywhere, through any server, as the log says', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ({ steps, direction, depth }) => {
        const story = names();
        const { dataset: d } = story;
        const cone = { urn: d('0'), direction, depth };
        const start = await write({ entities: [dataset(d('0'))] });
        await using live = await watch(cone);
        const cursors = [start];
        for (const step of steps) cursors.push(await write(batchOf(story, step)));
        const end = await write({ entities: [dataset(d('0'), { description: 'the end' })] });
        await past(live, end);
        const first = decodeEventCursor(start);
        const log = await graph.log.read({ after: first - 1, upTo: decodeEventCursor(end), limit: 10_000 });
        const expected = toldByLog(
          log.filter(({ actor }) => actor === PREFIX),
          cone,
        ).filter((item) => !item.startsWith(start));
        expect(toldTo(live)).toEqual(expected);
        expect(expected.length).toBeGreaterThan(0);
        for (const [index, after] of cursors.entries()) {
          if (index % 4 > 0) continue;
          await using resumed = await watch(cone, after, index % 8 === 0 ? other : app);
          await past(resumed, end);
          const behind = (item: ToldItem) => decodeEventCursor(item.split(' ')[0] ?? '') > decodeEventCursor(after);
          expect(toldTo(resumed)).toEqual(expected.filter(behind));
        }
      }),
      { numRuns: 3, seed: 5, endOnFailure: true },
    );
  });

  it.each<[string, Partial<WatchedCone>, string, string]>([
    ['a start that does not exist', { urn: datasetUrn(PREFIX, 'nothing') }, 'NOT_FOUND', 'urn'],
    ['a start without lineage', { urn: runUrn('x') }, 'BAD_USER_INPUT', 'urn'],
    ['no depth at all', { depth: 0 }, 'BAD_USER_INPUT', 'depth'],
  ])('refuses %s at once', async (_, asked, code, field) => {
    const story = names();
    await writeChain(story);
    const cone = { urn: story.dataset('orders'), direction: 'BOTH', depth: 3, ...asked } as const;
    await using subscriber = new ChangeSubscriber(app.socketUrl, {}, watching(cone));
    await endOf(subscriber).toMatchObject([{ extensions: { code, details: { problems: [{ field }] } } }]);
  });

  it('ends when its cone has grown too large, is refused from then on, and says what to do', async () => {
    const { dataset: d, job: j } = names();
    await graph.query(
      `CREATE (h:Entity:Dataset {urn: $hub, name: 'hub', version: 1})
       WITH h UNWIND range(1, 9999) AS i
       CREATE (h)-[:FEEDS]->(:Entity:Job {urn: $job + i, name: 'reader', version: 1})`,
      { hub: d('hub'), job: j('reader-') },
    );
    const cone = { urn: d('hub'), direction: 'DOWNSTREAM', depth: 1 } as const;
    const refusal = [
      { message: expect.stringContaining('ask for less'), extensions: { code: 'BAD_USER_INPUT' } },
    ] as unknown[];
    await using subscriber = await watch(cone);
    await write({ entities: [job(j('one more'))], edges: [feeds(d('hub'), j('one more'))] });
    await endOf(subscriber).toMatchObject(refusal);
    await using late = new ChangeSubscriber(other.socketUrl, {}, watching(cone));
    await endOf(late).toMatchObject(refusal);
  });
});

const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constantFrom('feed', 'produce'), dataset: fc.nat(4), job: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('unfeed', 'run'), dataset: fc.nat(4), job: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('describe'), dataset: fc.nat(4), job: fc.nat(3) }) },
);

const histories = fc.record({
  steps: fc.array(steps, { minLength: 16, maxLength: 24 }),
  direction: fc.constantFrom('UPSTREAM' as const, 'DOWNSTREAM' as const, 'BOTH' as const),
  depth: fc.constantFrom(1, 2, null),
});

type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

let texts = 0;
function batchOf({ dataset: d, job: j, run }: ReturnType<typeof names>, step: Step): GraphBatch {
  const [from, by] = [d(String(step.dataset)), j(String(step.job))];
  const entities = [dataset(from, { description: String(texts++) }), job(by)];
  switch (step.does) {
    case 'feed':
      return { entities, edges: [feeds(from, by)] };
    case 'produce':
      return { entities, edges: [produces(by, from)] };
    case 'unfeed':
      return { entities, edges: [feeds(from, by)], edgeDeletions: [{ kind: 'PRODUCES', from: by, to: from }] };
    case 'run': {
      const urn = run(String(step.job));
      const of = { kind: 'Run' as const, urn, name: urn, properties: { state: `S${texts++}` } };
      return { entities: [...entities, of], edges: [{ kind: 'HAS_RUN', from: by, to: urn }] };
    }
    default:
      return { entities };
  }
}
