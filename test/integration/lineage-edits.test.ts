import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn, INGESTION_JOB_NAMESPACE, runUrn } from '#graph-schema';
import { Neo4jLineageStore } from '#graph-store';
import { REPOSITORY_ROOT } from '#stack';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import { testEnvironment } from '../support/environment.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { postLineage } from '../support/lineage-client.js';
import { openTestIntake, type TestIntake } from '../support/lineage-intake.js';
import { type Json, runEvent } from '../support/openlineage-events.js';
import { platformRun, platformUnit } from '../support/platform-nodes.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('edits');
const EDIT = (name: string) => /* GraphQL */ `
  mutation ($edges: [LineageEdgeInput!]!, $note: String, $idempotencyKey: String) {
    ${name}(input: { edges: $edges, note: $note, idempotencyKey: $idempotencyKey }) {
      edges { kind from to via } commit userErrors { code field message elementIndex }
    }
  }
`;
const ROLL_BACK = /* GraphQL */ `
  mutation ($urn: ID!, $reason: String) {
    rollBackRun(input: { urn: $urn, reason: $reason }) { urn commit userErrors { code field message } }
  }
`;
const RESTORE = /* GraphQL */ `
  mutation ($urn: ID!) { restoreRun(input: { urn: $urn }) { urn commit userErrors { code field message } } }
`;
const WALK = /* GraphQL */ `
  query ($urn: ID!, $view: LineageView, $at: Instant, $level: LineageLevel! = DATASET) {
    lineage(urn: $urn, view: $view, at: $at, level: $level) {
      edges {
        kind from to via current firstRun
        intervals { from to firstRun lastRun firstActor lastActor }
        manual { operation actor at note }
      }
    }
  }
`;

let graph: TestGraph;
let connection: Connection;
let lineage: TestIntake;
let app: HttpApp;
beforeAll(async () => {
  graph = await openSharedGraph();
  connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  lineage = await openTestIntake(new LineageEventWriter(new Neo4jLineageStore(graph.driver)));
  lineage.drainer.start();
  app = await openHttpApp(graph, {
    temporal: new Client({ connection }),
    openLineage: lineage,
    lineage: { waitMs: 60_000 },
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await lineage[Symbol.asyncDispose]();
  await connection.close();
  await graph[Symbol.asyncDispose]();
});

const named = (name: string) => ({ namespace: PREFIX, name });
const data = (name: string) => datasetUrn(PREFIX, name);
const job = (name: string) => formatUrn('job', [PREFIX, name]);
const column = (of: string, name: string) => formatUrn('field', [PREFIX, of, name]);
const run = (name: string) => ({ runId: `${PREFIX}-${name}` });

async function tell(members: Json): Promise<void> {
  const { status, json } = await postLineage(app, '?wait=committed', runEvent({ inputs: [], outputs: [], ...members }));
  expect({ status, json }).toMatchObject({ status: 201 });
}

async function edit(name: string, variables: Json) {
  const { data: answer, errors } = await app.graphql(EDIT(name), variables);
  expect(errors).toBeUndefined();
  return answer[name];
}

async function walk(urn: string, variables: Json = {}) {
  const { data: answer, errors } = await app.graphql(WALK, { urn, ...variables });
  expect(errors).toBeUndefined();
  return answer.lineage.edges;
}

const ends = (edges: readonly { from: string; to: string }[]) => edges.map(({ from, to }) => `${from} > ${to}`).sort();

/** The instant of the clock, in nanoseconds. */
const nowText = () => lineage.clock.now().toISOString().replace('Z', '000000Z');

describe('an edge that is drawn by hand', () => {
  beforeAll(async () => {
    await tell({
      job: named('load'),
      run: run('loaded'),
      eventTime: '2026-02-01T08:00:00Z',
      inputs: [named('orders')],
      outputs: [{ ...named('report'), facets: { schema: { fields: [{ name: 'id' }] } } }],
    });
    await tell({
      job: named('other'),
      run: run('other'),
      outputs: [{ ...named('copy'), facets: { schema: { fields: [{ name: 'id' }] } } }, named('extra')],
    });
  });

  it('is there at once, tells who has drawn it, and outlives runs that go without it', async () => {
    const edge = { from: data('extra'), to: job('load') };
    const drawn = nowText();
    expect(await edit('assertLineageEdges', { edges: [edge], note: 'told by the | team' })).toEqual({
      edges: [{ kind: 'FEEDS', ...edge, via: null }],
      commit: expect.any(String),
      userErrors: [],
    });
    lineage.clock.move(60_000);
    await tell({ job: named('load'), run: run('later'), eventTime: '2026-03-01T12:00:30Z', inputs: [named('orders')] });
    const edges = await walk(data('extra'));
    expect(edges).toContainEqual({
      ...{ kind: 'FEEDS', ...edge, via: null, current: true, firstRun: null },
      intervals: [{ from: drawn, to: null, firstRun: null, lastRun: null, firstActor: 'api', lastActor: 'api' }],
      manual: { operation: 'ASSERT', actor: 'api', at: drawn, note: 'told by the | team' },
    });
  });

  it('is there before its withdrawal and not after it', async () => {
    const edge = { from: data('extra'), to: job('load') };
    const before = nowText();
    lineage.clock.move(1_000);
    const { userErrors } = await edit('withdrawLineageEdges', { edges: [edge] });
    expect(userErrors).toEqual([]);
    expect(ends(await walk(data('extra')))).toEqual([]);
    const past = await walk(data('extra'), { at: before });
    expect(ends(past)).toContain(`${edge.from} > ${edge.to}`);
    expect(past.find(({ from }: { from: string }) => from === edge.from).manual.operation).toBe('WITHDRAW');
    // Once more changes nothing.
    expect((await edit('withdrawLineageEdges', { edges: [edge] })).userErrors).toEqual([]);
  });

  it('stays valid for the runs that assert it when it is withdrawn', async () => {
    const edge = { from: data('orders'), to: job('load') };
    await edit('assertLineageEdges', { edges: [edge] });
    lineage.clock.move(1_000);
    await edit('withdrawLineageEdges', { edges: [edge] });
    const [first] = (await walk(data('orders'))).filter(({ from }: { from: string }) => from === edge.from);
    expect(first).toMatchObject({ current: true, firstRun: runUrn(`${PREFIX}-loaded`) });
  });

  it('between two data sets goes over a job of its own, and can be withdrawn as it was drawn', async () => {
    const pair = { from: data('report'), to: data('copy') };
    const { edges } = await edit('assertLineageEdges', { edges: [pair] });
    const [feeds, produces] = edges;
    expect(feeds).toMatchObject({ kind: 'FEEDS', from: pair.from, to: expect.stringContaining('nucleus-manual') });
    expect(produces).toEqual({ kind: 'PRODUCES', from: feeds.to, to: pair.to, via: null });
    expect(ends(await walk(pair.from))).toEqual(ends(edges));
    lineage.clock.move(1_000);
    await edit('withdrawLineageEdges', { edges: [pair] });
    expect(ends(await walk(pair.from))).toEqual([]);
  });

  it('between columns may name its job', async () => {
    const edge = { from: column('report', 'id'), to: column('copy', 'id'), via: job('load') };
    expect((await edit('assertLineageEdges', { edges: [edge] })).edges).toEqual([{ kind: 'DERIVES', ...edge }]);
    expect(await walk(edge.from, { level: 'FIELD' })).toMatchObject([{ kind: 'DERIVES', ...edge, current: true }]);
  });

  it('counts once for one key, at its first time', async () => {
    const variables = { edges: [{ from: job('load'), to: data('extra') }], idempotencyKey: 'once' };
    lineage.clock.move(1_000);
    const drawn = nowText();
    await edit('assertLineageEdges', variables);
    lineage.clock.move(1_000);
    await edit('withdrawLineageEdges', { edges: variables.edges });
    lineage.clock.move(1_000);
    await edit('assertLineageEdges', variables);
    const shown = await walk(job('load'), { view: 'EVER' });
    const edge = shown.find(({ to }: { to: string }) => to === data('extra'));
    expect(edge).toMatchObject({ current: false, intervals: [{ from: drawn }], manual: { operation: 'WITHDRAW' } });
  });

  it.each<[string, Json, string, string]>([
    ['an end that is not there', { from: data('nothing'), to: job('load') }, 'NOT_FOUND', 'from'],
    ['what is no urn', { from: 'orders', to: job('load') }, 'BAD_USER_INPUT', 'from'],
    ['ends that do not fit', { from: job('load'), to: job('other') }, 'BAD_USER_INPUT', 'to'],
    ['a job where none belongs', { from: data('orders'), to: job('load'), via: job('other') }, 'BAD_USER_INPUT', 'via'],
    ['a job that is none', { from: data('orders'), to: data('copy'), via: data('report') }, 'BAD_USER_INPUT', 'via'],
    [
      'a unit of Nucleus',
      { from: data('orders'), to: formatUrn('job', [INGESTION_JOB_NAMESPACE, 'a/b']) },
      'BAD_USER_INPUT',
      'to',
    ],
  ])('is refused for %s', async (_, bad, code, field) => {
    const good = { from: data('orders'), to: job('other') };
    const { edges, commit, userErrors } = await edit('assertLineageEdges', { edges: [good, bad] });
    expect({ edges, commit }).toEqual({ edges: [], commit: null });
    expect(userErrors).toContainEqual(
      expect.objectContaining({ code, field: `input.edges.1.${field}`, elementIndex: 1 }),
    );
    expect(ends(await walk(data('orders')))).not.toContain(`${good.from} > ${good.to}`);
  });

  it('is not what a withdrawal names when only runs have asserted it', async () => {
    const edges = [{ from: job('other'), to: data('copy') }];
    expect(await edit('withdrawLineageEdges', { edges })).toMatchObject({
      edges: [],
      userErrors: [{ code: 'NOT_FOUND', field: 'input.edges' }],
    });
  });

  it('cannot be told by an event', async () => {
    const payload = `nucleus-edit ${JSON.stringify({ is: 'edge-edit', does: 'assert', edges: [] })}`;
    expect(await postLineage(app, '', payload)).toMatchObject({ status: 400 });
  });
});

describe('a run that is rolled back', () => {
  const [first, bad, reader] = ['first', 'bad', 'reader'].map((name) => run(`rolled-${name}`));
  const table = { ...named('table') };
  const version = (of: { runId: string } | undefined) =>
    formatUrn('dataset-version', [PREFIX, 'table', `run-${of?.runId}`]);

  const linked = async (kind: string) =>
    graph.query(
      `MATCH (r:Run)-[l:${kind}]->(v:DatasetVersion) WHERE r.urn STARTS WITH $runs AND l.deletedAt IS NULL AND v.deletedAt IS NULL
       RETURN r.id AS run, v.urn AS version ORDER BY run`,
      { runs: runUrn(`${PREFIX}-rolled-`) },
    );

  beforeAll(async () => {
    await tell({ job: named('make'), run: first, eventTime: '2026-02-02T01:00:00Z', outputs: [table] });
    await tell({
      job: named('make'),
      run: bad,
      eventTime: '2026-02-02T02:00:00Z',
      inputs: [named('wrong')],
      outputs: [table, named('aside')],
    });
    await tell({
      job: named('use'),
      run: reader,
      eventType: 'START',
      eventTime: '2026-02-02T03:00:00Z',
      inputs: [table],
    });
  });

  it('has written nothing, its readers have read the version before, and its edges go', async () => {
    expect(await linked('READ')).toEqual([{ run: reader?.runId, version: version(bad) }]);
    const urn = runUrn(bad?.runId ?? '');
    const { data: answer } = await app.graphql(ROLL_BACK, { urn, reason: 'wrong parameters' });
    expect(answer.rollBackRun).toEqual({ urn, commit: expect.any(String), userErrors: [] });
    expect(await linked('WROTE')).toEqual([{ run: first?.runId, version: version(first) }]);
    expect(await linked('READ')).toEqual([{ run: reader?.runId, version: version(first) }]);
    expect(await walk(data('wrong'))).toEqual([]);
    expect(ends(await walk(data('wrong'), { at: '2026-02-02T02:30:00Z' }))).toEqual([]);
    expect(ends(await walk(data('wrong'), { view: 'EVER' }))).toContain(`${data('wrong')} > ${job('make')}`);
    const outputs = await app.graphql(
      'query ($urn: ID!) { jobs(where: { urn: { eq: $urn } }, limit: 1) { outputs { urn } } }',
      {
        urn: job('make'),
      },
    );
    expect(outputs.data.jobs).toEqual([{ outputs: [{ urn: data('table') }] }]);
    const [node] = await graph.query(
      'MATCH (r:Run {urn: $urn}) RETURN r.rolledBackBy AS who, r.rollBackReason AS why, r.state AS state, toString(r.rolledBackAt) AS at',
      { urn },
    );
    expect(node).toMatchObject({ who: 'api', why: 'wrong parameters', state: 'COMPLETE', at: expect.any(String) });
  });

  it('stays rolled back when its events come again or late', async () => {
    await tell({ job: named('make'), run: bad, eventTime: '2026-02-02T02:10:00Z', inputs: [named('more')] });
    expect(await walk(data('more'))).toEqual([]);
    expect(await linked('WROTE')).toEqual([{ run: first?.runId, version: version(first) }]);
  });

  it('counts again when it is restored', async () => {
    lineage.clock.move(1_000);
    const urn = runUrn(bad?.runId ?? '');
    expect((await app.graphql(RESTORE, { urn })).data.restoreRun.userErrors).toEqual([]);
    expect(await linked('READ')).toEqual([{ run: reader?.runId, version: version(bad) }]);
    expect(ends(await walk(data('more')))).toContain(`${data('more')} > ${job('make')}`);
    const [node] = await graph.query('MATCH (r:Run {urn: $urn}) RETURN r.rolledBackAt AS at', { urn });
    expect(node).toEqual({ at: null });
  });

  it.each([
    ['nucleus:run:none', 'NOT_FOUND'],
    ['nucleus:job:a:b', 'BAD_USER_INPUT'],
    ['run', 'BAD_USER_INPUT'],
  ])('cannot be %s', async (urn, code) => {
    const { data: answer } = await app.graphql(ROLL_BACK, { urn });
    expect(answer.rollBackRun).toMatchObject({ urn: null, userErrors: [{ code, field: 'input.urn' }] });
  });

  it('is none of those of Nucleus itself', async () => {
    const urn = runUrn(`${PREFIX}-own`);
    const properties = platformRun(`${PREFIX}-own`);
    await graph.store.upsertEntity({ kind: 'IngestionRun', urn, properties }, { actor: 'test' });
    const { data: answer } = await app.graphql(ROLL_BACK, { urn });
    expect(answer.rollBackRun.userErrors).toMatchObject([{ code: 'BAD_USER_INPUT', field: 'input.urn' }]);
  });
});

describe('events that name what Nucleus itself runs', () => {
  const unit = { namespace: INGESTION_JOB_NAMESPACE, name: `${PREFIX}/unit` };
  const own = `${PREFIX}-parent`;

  it('are refused as events of a unit', async () => {
    expect(await postLineage(app, '', runEvent({ job: unit }))).toMatchObject({
      status: 422,
      json: { error: { details: { problems: [{ field: 'job.namespace' }] } } },
    });
  });

  it('may name its run as their parent, and change nothing of it', async () => {
    const urn = formatUrn('job', [unit.namespace, unit.name]);
    const context = { actor: 'test' };
    const properties = platformRun(own);
    await graph.store.upsertEntity(
      { kind: 'IngestionUnit', urn, name: 'the unit', properties: platformUnit(own) },
      context,
    );
    await graph.store.upsertEntity({ kind: 'IngestionRun', urn: runUrn(own), name: 'own', properties }, context);
    const parent = { run: { runId: own }, job: unit };
    await tell({ job: named('child'), run: { ...run('child'), facets: { parent } } });
    const [row] = await graph.query(
      `MATCH (u:IngestionUnit {urn: $unit}), (c:Run {urn: $child})-[:PART_OF]->(r:Run {urn: $run})
       RETURN u.name AS unit, u.version AS unitVersion, r.name AS run, r.state AS state, r.version AS runVersion`,
      { unit: urn, child: runUrn(`${PREFIX}-child`), run: runUrn(own) },
    );
    expect(row).toEqual({ unit: 'the unit', unitVersion: 1, run: 'own', state: properties.state, runVersion: 1 });
  });
});

it('docs/lineage-edits.md has examples that run', async () => {
  const page = readFileSync(`${REPOSITORY_ROOT}/docs/lineage-edits.md`, 'utf8');
  const queries = [...page.matchAll(/```graphql\n(.*?)```/gs)].map(([, query = '']) =>
    query
      .replaceAll('s3%3A%2F%2Flake', PREFIX)
      .replaceAll('job:shop:', `job:${PREFIX}:`)
      .replaceAll('01a20500-0000-7000-8000-00000000000a', `${PREFIX}-loaded`),
  );
  const answers = [];
  for (const query of queries) {
    const { data: answer, errors } = await app.graphql(query);
    expect(errors, query).toBeUndefined();
    answers.push(...Object.values(answer));
  }
  const done = { commit: expect.any(String), userErrors: [] };
  expect(answers).toMatchObject([done, done, { ...done, urn: runUrn(`${PREFIX}-loaded`) }]);
});
