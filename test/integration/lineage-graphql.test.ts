import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captionOf, datasetUrn, formatUrn, runUrn } from '#graph-schema';
import type { TestGraph } from '../support/graph.js';
import type { HttpApp } from '../support/http-app.js';
import { problemsOf, told } from '../support/lineage-answers.js';
import { type LineageStory, STORY_TIMES } from '../support/lineage-story.js';
import { openStoryApp, type StoryApp } from '../support/story-app.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('lineage');

let opened: StoryApp;
let graph: TestGraph;
let app: HttpApp;
let story: LineageStory;
beforeAll(async () => {
  opened = await openStoryApp(PREFIX);
  ({ graph, app, story } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

interface Walk {
  readonly nodes: readonly { urn: string; depth: number }[];
  readonly edges: readonly { kind: string; from: string; to: string; via: string | null }[];
  readonly truncated: { reason: string; hub: { urn: string; neighbours: number } | null; next: string } | null;
  readonly at: string | null;
}

const WALK = `query Walk($urn: ID!, $direction: LineageDirection! = DOWNSTREAM, $depth: Int = 3, $level: LineageLevel! = DATASET,
  $view: LineageView, $at: Instant, $asOfRun: ID, $filter: LineageFilter, $maxNodes: Int! = 500, $maxEdges: Int! = 2000,
  $after: String, $deadlineMs: Int! = 10000) {
  lineage(urn: $urn, direction: $direction, depth: $depth, level: $level, view: $view, at: $at, asOfRun: $asOfRun,
    filter: $filter, maxNodes: $maxNodes, maxEdges: $maxEdges, after: $after, deadlineMs: $deadlineMs) {
    at nodes { urn depth } edges { kind from to via } truncated { reason hub { urn neighbours } next }
  }
}`;

async function walk(variables: Record<string, unknown>): Promise<Walk> {
  const { data, errors } = await app.graphql(WALK, variables);
  expect(errors).toBeUndefined();
  return data.lineage;
}

describe('lineage', () => {
  it('tells nodes, edges and all that is known of them', async () => {
    const { data, errors } = await app.graphql(
      `query ($urn: ID!) {
        lineage(urn: $urn, depth: 1) {
          urn browserUrl at
          nodes { urn kind labels name depth placeholder deletedAt browserUrl entity { urn kind } }
          edges { kind from to via current intervals { from to firstRun lastRun } firstRun lastRun }
          truncated { reason }
        }
      }`,
      { urn: story.dataset('report') },
    );
    expect(errors).toBeUndefined();
    const [report, mail, inbox] = [story.dataset('report'), story.job('mail'), story.dataset('inbox')];
    const node = (urn: string, kind: string, depth: number) => ({
      ...{ urn, kind, name: urn, depth, deletedAt: null, placeholder: false, labels: [kind] },
      ...{ browserUrl: expect.stringContaining(encodeURIComponent(urn)), entity: { urn, kind } },
    });
    const edge = (kind: string, from: string, to: string) => ({
      ...{ kind, from, to, via: null, current: true },
      ...{ firstRun: 'nucleus:run:first-0', lastRun: 'nucleus:run:last-0' },
      intervals: [{ from: STORY_TIMES.mail, to: null, firstRun: 'nucleus:run:first-0', lastRun: 'nucleus:run:last-0' }],
    });
    expect(data.lineage).toEqual({
      ...{ urn: report, at: null, truncated: null },
      browserUrl: expect.stringContaining(encodeURIComponent(report)),
      nodes: [
        node(report, 'Dataset', 0),
        node(mail, 'Job', 1),
        {
          ...node(inbox, 'Dataset', 1),
          placeholder: true,
          labels: [],
          entity: { urn: inbox, kind: expect.any(String) },
        },
      ],
      edges: [edge('FEEDS', report, mail), edge('PRODUCES', mail, inbox)],
    });
  });

  it('goes down three hops unless told otherwise, up, both ways, and to the end', async () => {
    const urn = story.dataset('raw');
    expect(told(await walk({ urn, depth: 1 }))).toEqual(['raw@0', 'load@1', 'orders@1']);
    expect(told(await walk({ urn }))).toEqual([
      'raw@0',
      'load@1',
      'orders@1',
      'sum@2',
      'report@2',
      'mail@3',
      'inbox@3',
    ]);
    expect(told(await walk({ urn: story.dataset('report'), direction: 'UPSTREAM', depth: null }))).toEqual([
      'report@0',
      'sum@1',
      'orders@1',
      'load@2',
      'raw@2',
    ]);
    const both = await walk({ urn: story.job('sum'), direction: 'BOTH', depth: 1 });
    expect(new Set(told(both))).toEqual(new Set(['sum@0', 'orders@1', 'report@1', 'load@1', 'mail@1']));
  });

  it.each<[string, Record<string, unknown>, { legacy: boolean; mail: boolean }]>([
    ['now', {}, { legacy: false, mail: true }],
    ['at any time', { view: 'EVER' }, { legacy: true, mail: true }],
    ['before both', { view: 'AT', at: STORY_TIMES.begin }, { legacy: false, mail: false }],
    ['a nanosecond before the second', { at: STORY_TIMES.legacy }, { legacy: true, mail: false }],
    ['with the second', { at: STORY_TIMES.mail }, { legacy: true, mail: true }],
    ['when the first ends', { at: STORY_TIMES.legacyEnd }, { legacy: false, mail: true }],
    ['at a time without a zone, which is UTC', { at: '2024-01-02T00:00:00.000000001' }, { legacy: true, mail: false }],
    ['at a time of another zone', { at: '2024-01-02T03:00:00.000000001+03:00' }, { legacy: true, mail: false }],
  ])('as it is or was %s', async (_, view, { legacy, mail }) => {
    const { nodes, at } = await walk({ urn: story.dataset('orders'), ...view });
    const names = nodes.map(({ urn }) => captionOf(urn));
    expect({ legacy: names.includes('old'), mail: names.includes('inbox') }).toEqual({ legacy, mail });
    expect(at === null).toBe(view.at === undefined);
  });

  it('as of a run: of its end, or of its start while it has not ended', async () => {
    const runs = { ended: runUrn(`${PREFIX}-ended`), open: runUrn(`${PREFIX}-open`), blank: runUrn(`${PREFIX}-blank`) };
    await graph.query(
      `CREATE (:Entity:Run {urn: $ended, name: 'a', version: 1, startedAt: datetime('2024-01-01T00:00:00Z'), endedAt: datetime('2024-01-02T00:00:00Z')})
       CREATE (:Entity:Run {urn: $open, name: 'b', version: 1, startedAt: datetime('2024-01-01T23:59:59.999000007Z')})
       CREATE (:Entity:Run {urn: $blank, name: 'c', version: 1})`,
      runs,
    );
    const urn = story.dataset('orders');
    // Both begin within the millisecond in which the run ended.
    const ended = await walk({ urn, asOfRun: runs.ended });
    expect(ended.at).toBe('2024-01-02T00:00:00.000999999Z');
    expect(told(ended)).toEqual(expect.arrayContaining(['old@1', 'inbox@2']));
    const open = await walk({ urn, view: 'AT', asOfRun: runs.open });
    expect(open.at).toBe('2024-01-01T23:59:59.999000007Z');
    expect(told(open)).toEqual(['orders@0', 'sum@1', 'report@1']);
    expect(await problemsOf(app, WALK, { urn, asOfRun: runs.blank })).toEqual(['BAD_USER_INPUT', 'asOfRun']);
    expect(await problemsOf(app, WALK, { urn, asOfRun: runUrn(`${PREFIX}-none`) })).toEqual(['NOT_FOUND', 'asOfRun']);
  });

  it('at the levels of jobs and of columns', async () => {
    const jobs = await walk({ urn: story.job('load'), level: 'JOB' });
    expect(told(jobs)).toEqual(['load@0', 'sum@1', 'mail@2']);
    expect(jobs.edges).toEqual([
      { kind: 'PASSES', from: story.job('load'), to: story.job('sum'), via: story.dataset('orders') },
      { kind: 'PASSES', from: story.job('sum'), to: story.job('mail'), via: story.dataset('report') },
    ]);
    const columns = await walk({ urn: story.dataset('raw'), level: 'FIELD' });
    expect(columns.nodes).toEqual(
      ['raw', 'orders', 'report'].map((name, depth) => ({ urn: story.field(name), depth })),
    );
    expect(columns.edges[0]).toEqual({
      ...{ kind: 'DERIVES', from: story.field('raw'), to: story.field('orders'), via: story.job('load') },
    });
  });

  it('shows what the filter lets through, and walks through the rest', async () => {
    const urn = story.dataset('raw');
    const only = async (filter: object) => told(await walk({ urn, filter }));
    expect(await only({ kinds: ['Dataset'] })).toEqual(['raw@0', 'orders@1', 'report@2', 'inbox@3']);
    expect(await only({ namespaces: [`${PREFIX}-mail`] })).toEqual(['raw@0', 'inbox@3']);
    expect(await only({ kinds: ['Job'], namespaces: [PREFIX] })).toEqual(['raw@0', 'load@1', 'sum@2', 'mail@3']);
  });

  it('in parts is what it is at once', async () => {
    const asked = { urn: story.dataset('orders'), direction: 'BOTH', view: 'EVER', depth: null };
    const whole = await walk(asked);
    expect(whole.truncated).toBeNull();
    for (const sizes of [{ maxNodes: 2 }, { maxEdges: 1 }, { maxNodes: 3, maxEdges: 2 }]) {
      const parts: Walk[] = [];
      for (let after: string | undefined | null = null; after !== undefined; ) {
        const part: Walk = await walk({ ...asked, ...sizes, after });
        parts.push(part);
        after = part.truncated?.next;
      }
      expect(parts.length).toBeGreaterThan(2);
      const reasons = new Set(parts.slice(0, -1).map(({ truncated }) => truncated?.reason));
      expect(['NODES', 'EDGES', 'HUB']).toEqual(expect.arrayContaining([...reasons]));
      expect(parts.flatMap(({ nodes }) => nodes)).toEqual(whole.nodes);
      expect(parts.flatMap(({ edges }) => edges)).toEqual(whole.edges);
    }
  });

  it('of what is deleted is there in EVER, and missing now', async () => {
    const urn = datasetUrn(PREFIX, 'gone');
    await graph.query(
      `CREATE (:Entity:Dataset {urn: $urn, name: 'gone', version: 2, deletedAt: datetime('2024-01-03T00:00:00Z')})`,
      { urn },
    );
    expect(await problemsOf(app, WALK, { urn })).toEqual(['NOT_FOUND', 'urn']);
    expect(told(await walk({ urn, view: 'EVER' }))).toEqual(['gone@0']);
    expect(told(await walk({ urn, at: '2024-01-02T00:00:00Z' }))).toEqual(['gone@0']);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['a start that is none', { urn: 'orders' }, ['BAD_USER_INPUT', 'urn']],
    ['a start that does not exist', { urn: datasetUrn(PREFIX, 'nothing') }, ['NOT_FOUND', 'urn']],
    ['a start of another level', { urn: datasetUrn(PREFIX, 'orders'), level: 'JOB' }, ['BAD_USER_INPUT', 'urn']],
    ['depth and sizes out of bounds', { depth: 0, maxNodes: 0 }, ['BAD_USER_INPUT', 'depth', 'maxNodes']],
    ['a kind that lineage does not have', { filter: { kinds: ['Tag'] } }, ['BAD_USER_INPUT', 'filter.kinds']],
    ['an instant that is none', { at: 'yesterday' }, ['BAD_USER_INPUT', 'at']],
    ['an instant for another view', { view: 'EVER', at: STORY_TIMES.mail }, ['BAD_USER_INPUT', 'at']],
    ['AT without an instant', { view: 'AT' }, ['BAD_USER_INPUT', 'at']],
    ['two instants', { at: STORY_TIMES.mail, asOfRun: runUrn('x') }, ['BAD_USER_INPUT', 'asOfRun']],
    ['a run that is none', { asOfRun: 'x' }, ['BAD_USER_INPUT', 'asOfRun']],
    ['a continuation that is none', { after: 'x' }, ['BAD_USER_INPUT', 'after']],
    ['a deadline that is none', { deadlineMs: 0 }, ['BAD_USER_INPUT', 'deadlineMs']],
  ])('refuses %s', async (_, variables, problems) => {
    expect(await problemsOf(app, WALK, { urn: story.dataset('orders'), ...variables })).toEqual(problems);
  });

  it('costs what it may tell', async () => {
    const { errors } = await app.graphql(WALK, { urn: story.dataset('raw'), maxNodes: 20_000, maxEdges: 20_000 });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', details: { limit: 'cost' } });
  });
});

describe('a hub of 10,000 readers', () => {
  const hub = datasetUrn(PREFIX, 'hub');
  beforeAll(() =>
    graph.query(
      `CREATE (h:Entity:Dataset {urn: $hub, name: 'hub', version: 1})
       WITH h UNWIND range(1, 10000) AS i
       CREATE (h)-[:FEEDS]->(:Entity:Job {urn: $job + i, name: 'reader', version: 1})`,
      { hub, job: formatUrn('job', [`${PREFIX}-readers`, 'j']) },
    ),
  );

  it('is named, and told in parts', async () => {
    const urns = new Set<string>();
    let after: string | undefined;
    let parts = 0;
    do {
      const part: Walk = await walk({ urn: hub, maxNodes: 4_000, maxEdges: 4_000, after });
      if (parts === 0) expect(part.truncated).toMatchObject({ reason: 'HUB', hub: { urn: hub, neighbours: 10_000 } });
      for (const { urn } of part.nodes) urns.add(urn);
      parts += 1;
      after = part.truncated?.next;
    } while (after !== undefined);
    expect({ parts, found: urns.size }).toEqual({ parts: 3, found: 10_001 });
  });

  it('does not fit into a deadline of nothing', async () => {
    expect(await problemsOf(app, WALK, { urn: hub, maxNodes: 15_000, maxEdges: 1, deadlineMs: 1 })).toEqual([
      'TIMEOUT',
    ]);
  });

  it('is exported as a whole', async () => {
    const { status, text } = await app.call(
      'GET',
      `/api/v1/lineage/impact?format=ndjson&urn=${encodeURIComponent(hub)}`,
    );
    expect(status).toBe(200);
    const urns = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).urn);
    expect(new Set(urns).size).toBe(10_001);
    expect(urns).toHaveLength(10_001);
  });
});
