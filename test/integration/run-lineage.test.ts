import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captionOf, datasetUrn, datasetVersionUrn, formatUrn, runUrn } from '#graph-schema';
import type { TestGraph } from '../support/graph.js';
import { openSharedGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { problemsOf } from '../support/lineage-answers.js';
import { minute } from '../support/openlineage-events.js';
import { platformRun } from '../support/platform-nodes.js';
import { type RunLineageStory, writeRunStory } from '../support/run-lineage-story.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('run-lineage');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
let story: RunLineageStory;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('run-lineage')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
  story = await writeRunStory(graph, PREFIX);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const WALK = `query Runs($urn: ID!, $direction: LineageDirection!, $depth: Int = 3, $maxNodes: Int! = 500, $maxEdges: Int! = 2000,
  $after: String, $deadlineMs: Int! = 10000) {
  runLineage(urn: $urn, direction: $direction, depth: $depth, maxNodes: $maxNodes, maxEdges: $maxEdges, after: $after,
    deadlineMs: $deadlineMs) {
    urn nodes { urn depth } edges { kind from to } truncated { reason next }
  }
}`;

interface Walk {
  readonly urn: string;
  readonly nodes: readonly { urn: string; depth: number }[];
  readonly edges: readonly { kind: string; from: string; to: string }[];
  readonly truncated: { reason: string; next: string } | null;
}

async function walk(variables: Record<string, unknown>): Promise<Walk> {
  const { data, errors } = await app.graphql(WALK, { direction: 'UPSTREAM', ...variables });
  expect(errors).toBeUndefined();
  return data.runLineage;
}

/** Names of the story in the place of urns: `sum-1`, and `report by sum-1`. */
function named(urn: string): string {
  const [, kind, , dataset = ''] = urn.split(':');
  const run = captionOf(urn).replace(`run-${PREFIX}-`, '').replace(`${PREFIX}-`, '');
  return kind === 'run' ? run : `${dataset} by ${run}`;
}

const told = ({ nodes }: Walk): string[] => nodes.map(({ urn, depth }) => `${named(urn)}@${depth}`);

describe('runLineage', () => {
  it('names the run and the versions that a version was made of, and those behind them', async () => {
    const answer = await walk({ urn: story.version('report', 'sum-1') });
    expect(told(answer)).toEqual(['report by sum-1@0', 'sum-1@1', 'raw by load-1@1', 'load-1@2']);
    expect(answer.edges.map(({ kind, from, to }) => [kind, named(from), named(to)])).toEqual([
      ['WROTE', 'sum-1', 'report by sum-1'],
      ['READ', 'raw by load-1', 'sum-1'],
      ['WROTE', 'load-1', 'raw by load-1'],
    ]);
    expect(told(await walk({ urn: story.version('report', 'sum-2'), depth: null }))).toEqual([
      'report by sum-2@0',
      'sum-2@1',
      'raw by load-2@1',
      'load-2@2',
    ]);
  });

  it('names the runs that a bad version has reached, failed ones too, and what they wrote', async () => {
    const urn = story.version('raw', 'load-1');
    const direction = 'DOWNSTREAM';
    expect(told(await walk({ urn, direction }))).toEqual([
      'raw by load-1@0',
      'sum-1@1',
      'sum-x@1',
      'report by sum-1@1',
      'mail-1@2',
    ]);
    expect(told(await walk({ urn, direction, depth: 1 }))).toEqual([
      'raw by load-1@0',
      'sum-1@1',
      'sum-x@1',
      'report by sum-1@1',
    ]);
  });

  it('starts from a run: what it wrote is one hop away, and so is who read that', async () => {
    expect(told(await walk({ urn: story.run('sum-1'), direction: 'DOWNSTREAM' }))).toEqual([
      'sum-1@0',
      'report by sum-1@1',
      'mail-1@1',
    ]);
    expect(told(await walk({ urn: story.run('sum-1'), direction: 'BOTH', depth: 1 }))).toEqual([
      'sum-1@0',
      'raw by load-1@1',
      'report by sum-1@1',
      'load-1@1',
      'mail-1@1',
    ]);
  });

  it('takes the latest version of a data set, and says which that is', async () => {
    const answer = await walk({ urn: story.dataset('raw') });
    expect({ urn: named(answer.urn), told: told(answer) }).toEqual({
      urn: 'raw by load-2',
      told: ['raw by load-2@0', 'load-2@1'],
    });
  });

  it('takes the version of the last run of the platform, whose versions hold no time of their own', async () => {
    const dataset = datasetUrn(PREFIX, 'staged');
    const version = (name: string) => datasetVersionUrn(PREFIX, 'staged', name);
    await graph.query(
      `CREATE (d:Entity:Dataset {urn: $dataset, name: 'staged', version: 1})
       WITH d UNWIND $rows AS row
       CREATE (d)-[:HAS_VERSION]->(v:Entity:DatasetVersion {urn: row.version, name: row.version, version: 1})
       CREATE (v)<-[:WROTE]-(r:Entity:Run:IngestionRun {urn: row.run, name: row.run, version: 1, endedAt: datetime(row.at)})
       SET r += $run, r.createdAt = datetime(row.at)`,
      {
        dataset,
        run: platformRun(PREFIX),
        rows: [
          { version: version('b'), run: runUrn(`${PREFIX}-b`), at: '2026-01-02T00:00:00Z' },
          { version: version('c'), run: runUrn(`${PREFIX}-c`), at: '2026-01-01T00:00:00Z' },
        ],
      },
    );
    // Read from elsewhere, and by nobody known: its name would come last.
    await graph.query(
      `MATCH (d:Entity {urn: $dataset})
       CREATE (d)-[:HAS_VERSION]->(:Entity:DatasetVersion {urn: $urn, name: 'z', version: 1})`,
      { dataset, urn: version('z') },
    );
    const { data } = await app.graphql(
      `query ($urn: ID!) { runLineage(urn: $urn) { urn nodes { kind run { state endedAt } version { writtenAt } } } }`,
      { urn: dataset },
    );
    expect(data.runLineage).toEqual({
      urn: version('b'),
      nodes: [
        { kind: 'DatasetVersion', run: null, version: { writtenAt: '2026-01-02T00:00:00.000Z' } },
        { kind: 'IngestionRun', run: { state: 'SUCCEEDED', endedAt: '2026-01-02T00:00:00.000Z' }, version: null },
      ],
    });
  });

  it('tells of runs their job, state, times and parents, of versions their data set and time, of links their facets', async () => {
    const { data, errors } = await app.graphql(
      `query ($urn: ID!) {
        runLineage(urn: $urn, direction: UPSTREAM) {
          browserUrl
          nodes {
            urn kind name depth placeholder browserUrl entity { urn }
            run { job state startedAt endedAt parent root } version { dataset datasetVersion writtenAt }
          }
          edges { kind facets }
        }
      }`,
      { urn: story.run('sum-1') },
    );
    expect(errors).toBeUndefined();
    const time = (n: number) => new Date(minute(n)).toISOString();
    const node = (urn: string, kind: string, depth: number) => ({
      ...{ urn, kind, depth, placeholder: false, entity: { urn }, name: expect.any(String) },
      browserUrl: expect.stringContaining(encodeURIComponent(urn)),
    });
    const run = (name: string, at: number, parents: { parent: string | null; root: string | null }) => ({
      ...{ job: story.job(name), state: 'COMPLETE', startedAt: time(at), endedAt: time(at + 1) },
      ...parents,
    });
    const none = { parent: null, root: null };
    const parents = { parent: story.run('day'), root: story.run('week') };
    expect(data.runLineage).toEqual({
      browserUrl: expect.stringContaining(encodeURIComponent(story.run('sum-1'))),
      nodes: [
        { ...node(story.run('sum-1'), 'Run', 0), run: run('sum', 2, none), version: null },
        {
          ...node(story.version('raw', 'load-1'), 'DatasetVersion', 1),
          run: null,
          version: {
            dataset: story.dataset('raw'),
            datasetVersion: `run-${PREFIX}-load-1`,
            writtenAt: time(1),
          },
        },
        { ...node(story.run('load-1'), 'Run', 1), run: run('load', 0, parents), version: null },
      ],
      edges: [
        { kind: 'READ', facets: { dataQualityMetrics: expect.objectContaining({ rowCount: 2 }) } },
        { kind: 'WROTE', facets: { outputStatistics: expect.objectContaining({ rowCount: 3 }) } },
      ],
    });
  });

  it('finds the run at the top of the parents where no event names it, even in a ring', async () => {
    const [low, middle, top, one, other] = ['low', 'middle', 'top', 'one', 'other'].map((n) =>
      runUrn(`${PREFIX}-${n}`),
    );
    await graph.query(
      `UNWIND $runs AS urn CREATE (:Entity:Run {urn: urn, name: urn, version: 1})
       WITH count(*) AS made UNWIND $links AS link
       MATCH (a:Entity {urn: link[0]}) MATCH (b:Entity {urn: link[1]})
       CREATE (a)-[:PART_OF]->(b)`,
      {
        runs: [low, middle, top, one, other],
        links: [
          [low, middle],
          [middle, top],
          [one, other],
          [other, one],
        ],
      },
    );
    const parents = async (urn: string | undefined) => {
      const { data } = await app.graphql(
        'query ($urn: ID!) { runLineage(urn: $urn) { nodes { run { parent root } } } }',
        { urn },
      );
      return data.runLineage.nodes[0].run;
    };
    expect(await parents(low)).toEqual({ parent: middle, root: top });
    expect(await parents(top)).toEqual({ parent: null, root: null });
    expect(await parents(one)).toEqual({ parent: other, root: other });
  });

  it('in parts is what it is at once, also when it starts from a data set', async () => {
    const asked = { urn: story.dataset('report'), direction: 'BOTH', depth: null };
    const whole = await walk(asked);
    expect(told(whole)).toEqual(['report by sum-2@0', 'sum-2@1', 'raw by load-2@1', 'load-2@2']);
    const parts: Walk[] = [];
    for (let after: string | undefined | null = null; after !== undefined; ) {
      const part: Walk = await walk({ ...asked, maxNodes: 1, after });
      parts.push(part);
      after = part.truncated?.next;
    }
    expect(parts.map(({ truncated }) => truncated?.reason)).toEqual(['NODES', 'NODES', 'NODES', undefined]);
    expect(parts.flatMap(({ nodes }) => nodes)).toEqual(whole.nodes);
    expect(parts.flatMap(({ edges }) => edges)).toEqual(whole.edges);
    // A continuation belongs to the version that was the latest, whatever is the latest by now.
    const after = parts[0]?.truncated?.next;
    expect((await walk({ ...asked, urn: whole.urn, after })).nodes).toEqual(whole.nodes.slice(1));
    expect(await problemsOf(app, WALK, { ...asked, urn: story.version('report', 'sum-1'), after })).toEqual([
      'BAD_USER_INPUT',
      'after',
    ]);
  });

  it('sees a commit that it is asked to read after', async () => {
    const urn = datasetUrn(PREFIX, 'later');
    const { data: written } = await app.graphql(
      'mutation ($input: UpsertInput!) { upsert(input: $input) { commit userErrors { message } } }',
      { input: { entities: [{ kind: 'Dataset', urn, name: 'later' }] } },
    );
    expect(written.upsert.userErrors).toEqual([]);
    const ask = async (readAfter: string) => {
      const { errors } = await app.graphql(WALK, { urn, direction: 'UPSTREAM' }, { 'nucleus-read-after': readAfter });
      return JSON.stringify(errors);
    };
    expect(await ask(written.upsert.commit)).toContain('names a data set of which no version is known');
    expect(await ask('x')).toContain('is not a commit token');
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['a start that is none', { urn: 'orders' }, ['BAD_USER_INPUT', 'urn']],
    ['a job', { urn: formatUrn('job', [PREFIX, 'sum']) }, ['BAD_USER_INPUT', 'urn']],
    ['a run that does not exist', { urn: runUrn(`${PREFIX}-none`) }, ['NOT_FOUND', 'urn']],
    ['depth and sizes out of bounds', { depth: 0, maxNodes: 0 }, ['BAD_USER_INPUT', 'depth', 'maxNodes']],
    ['a continuation that is none', { after: 'x' }, ['BAD_USER_INPUT', 'after']],
    ['a deadline that is none', { deadlineMs: 0 }, ['BAD_USER_INPUT', 'deadlineMs']],
  ])('refuses %s', async (_, variables, problems) => {
    const asked = { urn: story.run('sum-1'), direction: 'UPSTREAM', ...variables };
    expect(await problemsOf(app, WALK, asked)).toEqual(problems);
  });

  it('knows nothing of what is deleted, nor of a data set without versions', async () => {
    const [gone, empty] = [runUrn(`${PREFIX}-gone`), datasetUrn(PREFIX, 'empty')];
    await graph.query(
      `CREATE (:Entity:Run {urn: $gone, name: 'gone', version: 2, deletedAt: datetime()})
       CREATE (:Entity:Dataset {urn: $empty, name: 'empty', version: 1})`,
      { gone, empty },
    );
    for (const urn of [gone, empty]) {
      expect(await problemsOf(app, WALK, { urn, direction: 'UPSTREAM' })).toEqual(['NOT_FOUND', 'urn']);
    }
  });

  it('costs what it may tell', async () => {
    const { errors } = await app.graphql(WALK, {
      ...{ urn: story.run('sum-1'), direction: 'UPSTREAM', maxNodes: 20_000, maxEdges: 20_000 },
    });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', details: { limit: 'cost' } });
  });
});
