import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captionOf, datasetUrn } from '#graph-schema';
import type { TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { problemsOf, told } from '../support/lineage-answers.js';
import { type LineageStory, STORY_TIMES } from '../support/lineage-story.js';
import { openStoryApp, type StoryApp } from '../support/story-app.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('lineage-lists');

let opened: StoryApp;
let graph: TestGraph;
let app: HttpApp;
let story: LineageStory;
beforeAll(async () => {
  opened = await openStoryApp(PREFIX);
  ({ graph, app, story } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

describe('lineageImpact', () => {
  const IMPACT = `query Impact($urn: ID!, $view: LineageView, $first: Int! = 50, $after: String) {
    lineageImpact(urn: $urn, view: $view, filter: { kinds: ["Dataset"] }, first: $first, after: $after) {
      edges { cursor node { urn } } nodes { urn depth entity { urn } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } truncated { reason }
    }
  }`;

  it('is the same list, page by page, from any cursor', async () => {
    const urn = story.dataset('raw');
    const { data } = await app.graphql(IMPACT, { urn, view: 'EVER' });
    const { edges, nodes, pageInfo, truncated } = data.lineageImpact;
    expect(told({ nodes })).toEqual(['raw@0', 'orders@1', 'old@2', 'report@2', 'inbox@3']);
    expect(nodes.map(({ entity }: { entity: { urn: string } }) => entity.urn)).toEqual(
      nodes.map((node: { urn: string }) => node.urn),
    );
    expect({ pageInfo, truncated }).toMatchObject({
      pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: edges.at(-1).cursor },
      truncated: null,
    });
    for (const [index, { cursor }] of edges.entries()) {
      const rest = await app.graphql(IMPACT, { urn, view: 'EVER', first: 2, after: cursor });
      const page = rest.data.lineageImpact;
      const left = edges.slice(index + 1);
      expect(page.edges).toEqual(left.slice(0, 2));
      expect(page.pageInfo).toMatchObject({ hasNextPage: left.length > 2, hasPreviousPage: true });
      expect(page.truncated?.reason).toBe(left.length > 2 ? 'NODES' : undefined);
    }
  });

  it('has pages like other lists', async () => {
    expect(await problemsOf(app, IMPACT, { urn: story.dataset('raw'), first: 501 })).toEqual([
      'BAD_USER_INPUT',
      'first',
    ]);
    expect(await problemsOf(app, IMPACT, { urn: datasetUrn(PREFIX, 'nothing') })).toEqual(['NOT_FOUND', 'urn']);
  });
});

describe('an export over HTTP', () => {
  const EVERYTHING = `query ($urn: ID!, $direction: LineageDirection!, $level: LineageLevel!, $view: LineageView, $at: Instant) {
    lineageImpact(urn: $urn, direction: $direction, level: $level, view: $view, at: $at, first: 500) {
      nodes { urn kind labels name depth placeholder deletedAt }
    }
  }`;
  const download = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    app.call('GET', `/api/v1/lineage/impact?${new URLSearchParams(parameters)}`, headers);

  it.each<[string, string, Record<string, string>]>([
    ['orders', 'DATASET', { direction: 'DOWNSTREAM', view: 'EVER' }],
    ['report', 'DATASET', { direction: 'UPSTREAM' }],
    ['orders', 'DATASET', { direction: 'BOTH', at: STORY_TIMES.legacy }],
    ['raw', 'FIELD', { direction: 'DOWNSTREAM' }],
  ])('is the list of lineageImpact: %s, %s, %j', async (name, level, view) => {
    const asked = { urn: story.dataset(name), level, ...view };
    const { data } = await app.graphql(EVERYTHING, asked);
    const { nodes } = data.lineageImpact;
    expect(nodes.length).toBeGreaterThan(2);
    const ndjson = await download({ ...asked, format: 'ndjson' });
    expect(ndjson.headers['content-type']).toBe('application/x-ndjson');
    expect(
      ndjson.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(nodes);
    const csv = await download(asked);
    expect(csv.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="lineage-impact.csv"',
    });
    const [header, ...lines] = csv.text.trimEnd().split('\r\n');
    const columns = (header ?? '').split(',');
    expect(lines).toEqual(
      nodes.map((node: Record<string, unknown>) => columns.map((column) => node[column] ?? '').join(',')),
    );
  });

  it('is filtered', async () => {
    const urn = story.dataset('raw');
    const asked = new URLSearchParams({ urn, kind: 'Job', depth: '2', format: 'ndjson' });
    asked.append('kind', 'Field');
    const { text } = await app.call('GET', `/api/v1/lineage/impact?${asked}`);
    const urns = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).urn);
    expect(urns).toEqual([urn, story.job('load'), story.job('sum')]);
  });

  it('of a data set without columns is empty at their level', async () => {
    const asked = { urn: story.dataset('old'), view: 'EVER', level: 'FIELD' };
    expect((await download(asked)).text).toBe('urn,kind,name,depth,placeholder,deletedAt\r\n');
    expect(await download({ ...asked, format: 'ndjson' })).toMatchObject({ status: 200, text: '' });
  });

  it('is refused in the words of the other routes', async () => {
    const refusal = async (parameters: Record<string, string>, headers?: Record<string, string>) => {
      const { status, text } = await download(parameters, headers);
      const { error } = JSON.parse(text);
      return [status, error.code, ...(error.details?.problems ?? []).map(({ field }: { field: string }) => field)];
    };
    const urn = story.dataset('raw');
    expect(await refusal({ urn: datasetUrn(PREFIX, 'nothing') })).toEqual([404, 'NOT_FOUND', 'urn']);
    expect(await refusal({ urn, depth: '0' })).toEqual([400, 'BAD_USER_INPUT', 'depth']);
    expect(await refusal({ urn, at: 'yesterday' })).toEqual([400, 'BAD_USER_INPUT', 'at']);
    expect(await refusal({ urn, asOfRun: `nucleus:run:${PREFIX}` })).toEqual([404, 'NOT_FOUND', 'asOfRun']);
    expect(await refusal({ urn, kind: 'Tag' })).toEqual([400, 'BAD_USER_INPUT', 'filter.kinds']);
    expect(await refusal({ urn }, { 'nucleus-read-after': 'x' })).toEqual([400, 'BAD_USER_INPUT', 'readAfter']);
    await using guarded = await openHttpApp(graph, {
      temporal: opened.temporal,
      apiToken: 'an-api-token-of-24-characters',
    });
    const path = `/api/v1/lineage/impact?urn=${encodeURIComponent(urn)}`;
    expect((await guarded.call('GET', path)).status).toBe(401);
    const authorization = 'Bearer an-api-token-of-24-characters';
    expect((await guarded.call('GET', path, { authorization })).status).toBe(200);
  });
});

describe('lineagePaths', () => {
  const PATHS = `query Paths($from: ID!, $to: ID!, $level: LineageLevel! = DATASET, $view: LineageView, $at: Instant) {
    lineagePaths(from: $from, to: $to, level: $level, view: $view, at: $at) {
      urns entities { urn } edges { kind from to via }
    }
  }`;
  const paths = async (variables: Record<string, unknown>) => (await app.graphql(PATHS, variables)).data.lineagePaths;

  it('are the ways from one to the other in the view', async () => {
    const ends = { from: story.dataset('raw'), to: story.dataset('report') };
    const [path, ...others] = await paths(ends);
    expect(path.urns.map(captionOf)).toEqual(['raw', 'load', 'orders', 'sum', 'report']);
    expect(path.entities).toEqual(path.urns.map((urn: string) => ({ urn })));
    expect(path.edges.map(({ kind }: { kind: string }) => kind)).toEqual(['FEEDS', 'PRODUCES', 'FEEDS', 'PRODUCES']);
    expect(others).toEqual([]);
    const columns = await paths({ from: story.field('raw'), to: story.field('report'), level: 'FIELD' });
    expect(columns[0].edges.map(({ via }: { via: string }) => captionOf(via))).toEqual(['load', 'sum']);
    const ghost = { from: story.dataset('raw'), to: story.dataset('old') };
    expect(await paths(ghost)).toEqual([]);
    expect(await paths({ ...ghost, at: STORY_TIMES.legacy })).toHaveLength(1);
    expect(await paths({ from: ends.to, to: ends.from })).toEqual([]);
  });

  it('need two ends that exist', async () => {
    const [there, nowhere] = [story.dataset('raw'), datasetUrn(PREFIX, 'nothing')];
    expect(await problemsOf(app, PATHS, { from: there, to: nowhere })).toEqual(['NOT_FOUND', 'to']);
    expect(await problemsOf(app, PATHS, { from: nowhere, to: there })).toEqual(['NOT_FOUND', 'from']);
    expect(await problemsOf(app, PATHS, { from: there, to: there })).toEqual(['BAD_USER_INPUT', 'to']);
    expect(await problemsOf(app, PATHS, { from: there, to: there, level: 'JOB' })).toEqual(
      expect.arrayContaining(['BAD_USER_INPUT', 'level']),
    );
  });
});

describe('lineageNamespaces', () => {
  const NAMESPACES = `query ($urn: ID!, $direction: LineageDirection! = DOWNSTREAM, $view: LineageView, $maxNodes: Int! = 5000) {
    lineageNamespaces(urn: $urn, direction: $direction, view: $view, maxNodes: $maxNodes) {
      namespaces { namespace datasets jobs } flows { from to jobs } truncated
    }
  }`;
  const summed = async (variables: Record<string, unknown>) =>
    (await app.graphql(NAMESPACES, variables)).data.lineageNamespaces;
  const beside = `${PREFIX}-mail`;

  it('sums up a walk by namespace', async () => {
    const urn = story.dataset('raw');
    expect(await summed({ urn })).toEqual({
      namespaces: [
        { namespace: PREFIX, datasets: 3, jobs: 3 },
        { namespace: beside, datasets: 1, jobs: 0 },
      ],
      flows: [
        { from: PREFIX, to: PREFIX, jobs: 2 },
        { from: PREFIX, to: beside, jobs: 1 },
      ],
      truncated: null,
    });
    expect((await summed({ urn, view: 'EVER' })).flows[0]).toEqual({ from: PREFIX, to: PREFIX, jobs: 3 });
    expect((await summed({ urn: story.dataset('inbox'), direction: 'UPSTREAM' })).flows).toHaveLength(2);
  });

  it('says when it has not met everything', async () => {
    expect(await summed({ urn: story.dataset('raw'), maxNodes: 3 })).toEqual({
      namespaces: [{ namespace: PREFIX, datasets: 2, jobs: 1 }],
      flows: [{ from: PREFIX, to: PREFIX, jobs: 1 }],
      truncated: 'NODES',
    });
    expect(await problemsOf(app, NAMESPACES, { urn: datasetUrn(PREFIX, 'nothing') })).toEqual(['NOT_FOUND', 'urn']);
  });
});

describe('lineageDiff', () => {
  const DIFF = `query Diff($urn: ID!, $from: Instant!, $to: Instant, $level: LineageLevel! = DATASET, $depth: Int = 3, $maxNodes: Int! = 500) {
    lineageDiff(urn: $urn, from: $from, to: $to, level: $level, depth: $depth, maxNodes: $maxNodes) {
      added { nodes { urn depth } edges { kind from to } }
      removed { nodes { urn depth entity { urn } } edges { kind from to } }
      fromTruncated toTruncated
    }
  }`;
  const diff = async (variables: Record<string, unknown>) => (await app.graphql(DIFF, variables)).data.lineageDiff;
  const nothing = { nodes: [], edges: [] };

  it('is what one view has and the other has not', async () => {
    const urn = story.dataset('orders');
    const toNow = await diff({ urn, from: STORY_TIMES.legacy });
    expect(told(toNow.added)).toEqual(['mail@2', 'inbox@2']);
    expect(told(toNow.removed)).toEqual(['legacy@1', 'old@1']);
    expect(toNow.removed.edges).toEqual([
      { kind: 'FEEDS', from: urn, to: story.job('legacy') },
      { kind: 'PRODUCES', from: story.job('legacy'), to: story.dataset('old') },
    ]);
    expect(toNow).toMatchObject({ fromTruncated: null, toTruncated: null });
    expect(await diff({ urn, from: STORY_TIMES.legacyEnd })).toMatchObject({ added: nothing, removed: nothing });
    // Backwards what was added is removed.
    const back = await diff({ urn, from: STORY_TIMES.legacyEnd, to: STORY_TIMES.legacy });
    expect(told(back.removed)).toEqual(['mail@2', 'inbox@2']);
    const jobs = await diff({ urn: story.job('load'), level: 'JOB', from: STORY_TIMES.begin, to: STORY_TIMES.legacy });
    expect(told(jobs.added)).toEqual(['legacy@1']);
  });

  it('claims nothing of which it cannot be sure', async () => {
    const urn = story.dataset('orders');
    const cut = await diff({ urn, from: STORY_TIMES.begin, to: STORY_TIMES.mail, maxNodes: 4 });
    expect(cut).toMatchObject({ fromTruncated: null, toTruncated: 'NODES', removed: null });
    expect(told(cut.added)).toEqual(['legacy@1', 'old@1']);
    const both = await diff({ urn, from: STORY_TIMES.mail, maxNodes: 2 });
    expect(both).toMatchObject({ added: null, removed: null });
  });

  it('of a start that was deleted in between is all that was', async () => {
    const urn = datasetUrn(PREFIX, 'was');
    await graph.query(
      `CREATE (:Entity:Dataset {urn: $urn, name: 'was', version: 2, deletedAt: datetime('2024-01-03T00:00:00Z')})`,
      { urn },
    );
    expect(told((await diff({ urn, from: STORY_TIMES.begin })).removed)).toEqual(['was@0']);
    expect(await problemsOf(app, DIFF, { urn, from: STORY_TIMES.legacyEnd })).toEqual(['NOT_FOUND', 'urn']);
    expect(await problemsOf(app, DIFF, { urn, from: 'x' })).toEqual(['BAD_USER_INPUT', 'from']);
    expect(await problemsOf(app, DIFF, { urn, from: STORY_TIMES.begin, to: 'x' })).toEqual(['BAD_USER_INPUT', 'to']);
  });
});
