import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { testEnvironment } from '../support/environment.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { postLineage } from '../support/lineage-client.js';
import { eventOf, openTestIntake, type TestIntake } from '../support/lineage-intake.js';
import { nameOf, RecordingLineageWriter } from '../support/recording-lineage-writer.js';

const LONG_MS = 30_000;
const LETTERS = /* GraphQL */ `
  query Letters($first: Int, $after: String) {
    lineageDeadLetters(first: $first, after: $after) {
      nodes { position receivedAt parkedAt reason { code path message } bytes payload }
      edges { cursor node { position } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;
const REPLAY = /* GraphQL */ `
  mutation Replay($position: Float!) {
    replayLineageEvent(input: { position: $position }) { position userErrors { code field message } }
  }
`;
const DISCARD = /* GraphQL */ `
  mutation Discard($position: Float!) {
    discardLineageEvent(input: { position: $position }) { discarded userErrors { code field message } }
  }
`;

let graph: TestGraph;
let connection: Connection;
let writer: RecordingLineageWriter;
let lineage: TestIntake;
let app: HttpApp;
beforeAll(async () => {
  graph = await openSharedGraph();
  connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  writer = new RecordingLineageWriter();
  lineage = await openTestIntake(writer);
  app = await openHttpApp(graph, { temporal: new Client({ connection }), openLineage: lineage });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await lineage[Symbol.asyncDispose]();
  await connection.close();
  await graph[Symbol.asyncDispose]();
});

describe('the inbox of lineage', () => {
  it('shows its lag before it is drained, and none after', async () => {
    await lineage.append('bad1', 'good', 'bad2', 'bad3');
    lineage.clock.move(1_500);
    const query = '{ lineageInbox { head position lag { events bytes oldestAgeSeconds } } }';
    const bytes = ['bad1', 'good', 'bad2', 'bad3'].reduce((sum, name) => sum + eventOf(name).length, 0);
    expect((await app.graphql(query)).data.lineageInbox).toEqual({
      head: 4,
      position: 0,
      lag: { events: 4, bytes, oldestAgeSeconds: 1.5 },
    });
    writer.before = (events) => {
      if (events.some((event) => nameOf(event).startsWith('bad')))
        throw new AppError('BAD_USER_INPUT', 'too many edges');
    };
    lineage.drainer.start();
    await lineage.drainer.arrival({ first: 1, last: 4 }, LONG_MS);
    expect((await app.graphql(query)).data.lineageInbox).toEqual({
      head: 4,
      position: 4,
      lag: { events: 0, bytes: 0, oldestAgeSeconds: 0 },
    });
  });

  it('lists what could not be applied, page by page, with the event itself', async () => {
    const first = (await app.graphql(LETTERS, { first: 2 })).data.lineageDeadLetters;
    expect(first.nodes).toEqual(
      [1, 3].map((position) => ({
        position,
        receivedAt: '2026-03-01T12:00:00.000Z',
        parkedAt: '2026-03-01T12:00:01.500Z',
        reason: { code: 'BAD_USER_INPUT', path: '', message: 'too many edges' },
        bytes: eventOf('bad1').length,
        payload: eventOf(position === 1 ? 'bad1' : 'bad2').toString(),
      })),
    );
    expect(first.pageInfo).toEqual({ hasNextPage: true, endCursor: first.edges[1].cursor });
    const next = (await app.graphql(LETTERS, { first: 2, after: first.pageInfo.endCursor })).data.lineageDeadLetters;
    expect(next.edges.map((edge: { node: unknown }) => edge.node)).toEqual([{ position: 4 }]);
    expect(next.pageInfo.hasNextPage).toBe(false);
  });

  it('shows the beginning of an event in whole characters', async () => {
    const query = '{ lineageDeadLetters(first: 1) { nodes { payload(maxBytes: 7) } } }';
    expect((await app.graphql(query)).data.lineageDeadLetters.nodes).toEqual([
      { payload: eventOf('bad1').toString().slice(0, 7) },
    ]);
  });

  it.each([
    [{ first: 101 }, 'first'],
    [{ first: 0 }, 'first'],
    [{ after: 'nonsense' }, 'after'],
  ])('refuses the page %o', async (variables, field) => {
    const { errors } = await app.graphql(LETTERS, variables);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', details: { problems: [{ field }] } });
  });

  it('replays an event once, which then is applied', async () => {
    writer.before = () => {};
    const replayed = (await app.graphql(REPLAY, { position: 1 })).data.replayLineageEvent;
    expect(replayed).toEqual({ position: 5, userErrors: [] });
    await lineage.drainer.arrival({ first: 5, last: 5 }, LONG_MS);
    expect(writer.applied).toEqual(['good', 'bad1']);
    expect((await app.graphql(REPLAY, { position: 1 })).data.replayLineageEvent).toMatchObject({
      position: null,
      userErrors: [{ code: 'NOT_FOUND', field: 'input.position' }],
    });
  });

  it('discards an event once', async () => {
    expect((await app.graphql(DISCARD, { position: 3 })).data.discardLineageEvent).toEqual({
      discarded: true,
      userErrors: [],
    });
    expect((await app.graphql(DISCARD, { position: 3 })).data.discardLineageEvent).toMatchObject({
      discarded: false,
      userErrors: [{ code: 'NOT_FOUND', field: 'input.position' }],
    });
    expect((await app.graphql(DISCARD, { position: 0.5 })).data.discardLineageEvent).toMatchObject({
      userErrors: [{ code: 'BAD_USER_INPUT', field: 'input.position' }],
    });
    expect((await app.graphql(LETTERS)).data.lineageDeadLetters.nodes).toMatchObject([{ position: 4 }]);
  });
});

describe('a read after an event', () => {
  it('waits until the graph has it, and takes the token of a commit beside', async () => {
    const { token } = await postLineage(app, '', eventOf('seen'));
    const commit = (await app.graphql('{ changeLog { head } }')).data.changeLog.head;
    const readAfter = { 'nucleus-read-after': `${token}, ${commit}` };
    expect(await app.graphql('{ __typename }', {}, readAfter)).toMatchObject({ status: 200 });
    expect(writer.applied.at(-1)).toBe('seen');
  });

  it('refuses the token of another inbox', async () => {
    await using other = await openTestIntake(new RecordingLineageWriter());
    const answer = await other.intake.take(eventOf('elsewhere'));
    const token = answer.ok ? answer.taken.token : '';
    const { errors } = await app.graphql('{ __typename }', {}, { 'nucleus-read-after': token });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('a server that takes no lineage', () => {
  it('says so', async () => {
    await using bare = await openHttpApp(graph, { temporal: new Client({ connection }) });
    expect(await postLineage(bare, '', eventOf('a'))).toMatchObject({
      status: 404,
      json: { error: { code: 'NOT_FOUND' } },
    });
    const { errors } = await bare.graphql('{ lineageInbox { head } }');
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('no events'),
      extensions: { code: 'NOT_FOUND' },
    });
    const { data } = await bare.graphql(REPLAY, { position: 1 });
    expect(data.replayLineageEvent.userErrors).toMatchObject([{ code: 'NOT_FOUND', field: 'input.server' }]);
  });
});
