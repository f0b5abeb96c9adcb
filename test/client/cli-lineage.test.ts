import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runUrn } from '#graph-schema';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { type LineageStory, STORY_TIMES, writeStory } from '../support/lineage-story.js';
import { callNucleusCli, startNucleusCli } from '../support/nucleus-cli.js';
import { writeRunStory } from '../support/run-lineage-story.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('cli-lineage');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
let story: LineageStory;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('cli-lineage')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
  story = await writeStory(graph, PREFIX);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const nucleus = (...args: string[]) => callNucleusCli(['lineage', ...args], { env: { NUCLEUS_URL: app.url } });

/** In the story the name of a node is its urn. */
function line(level: number, kind: string, urn: string, told = ''): string {
  return `${'  '.repeat(level)}${kind} ${urn}${told}  ${urn}`;
}

async function tree(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await nucleus(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

describe('nucleus lineage', () => {
  it('prints what a data set feeds as a tree', async () => {
    expect(await tree(story.dataset('orders'))).toEqual([
      line(0, 'Dataset', story.dataset('orders')),
      line(1, 'Job', story.job('sum')),
      line(2, 'Dataset', story.dataset('report')),
      line(3, 'Job', story.job('mail')),
      line(4, 'Dataset', story.dataset('inbox'), ' (placeholder)'),
    ]);
  });

  it('prints what it comes from, as deep as asked', async () => {
    const urn = story.dataset('report');
    const near = [
      line(0, 'Dataset', urn),
      line(1, 'Job', story.job('sum')),
      line(2, 'Dataset', story.dataset('orders')),
    ];
    expect(await tree(urn, '--upstream', '--depth', '1')).toEqual(near);
    const far = [line(3, 'Job', story.job('load')), line(4, 'Dataset', story.dataset('raw'))];
    expect(await tree(urn, '--upstream', '--depth', 'all')).toEqual([...near, ...far]);
  });

  it('prints jobs, columns, and what is left by a filter', async () => {
    expect(await tree(story.job('load'), '--level', 'job')).toEqual(
      ['load', 'sum', 'mail'].map((name, level) => line(level, 'Job', story.job(name))),
    );
    expect(await tree(story.dataset('raw'), '--level', 'field')).toEqual(
      ['raw', 'orders', 'report'].map((name, level) => line(level, 'Field', story.field(name))),
    );
    expect(await tree(story.dataset('raw'), '--kind', 'Dataset', '--namespace', PREFIX)).toEqual(
      ['raw', 'orders', 'report'].map((name, depth) => line(depth, 'Dataset', story.dataset(name))),
    );
  });

  it('prints what was, and until when', async () => {
    const urn = story.dataset('orders');
    const names = (lines: readonly string[]) => lines.map((text) => text.trim().split('  ')[0]);
    const until = ' (until 2024-01-04T00:00:00Z)';
    const old = [`Job ${story.job('legacy')}${until}`, `Dataset ${story.dataset('old')}${until}`];
    expect(names(await tree(urn))).not.toContain(old[0]);
    expect(names(await tree(urn, '--at', STORY_TIMES.legacy))).toEqual(expect.arrayContaining(old));
    expect(names(await tree(urn, '--ever'))).toEqual(expect.arrayContaining(old));
    const run = runUrn(`${PREFIX}-run`);
    await graph.query(
      `CREATE (:Entity:Run {urn: $run, name: 'r', version: 1, endedAt: datetime('2024-01-03T00:00:00Z')})`,
      { run },
    );
    expect(names(await tree(urn, '--as-of-run', run))).toEqual(expect.arrayContaining(old));
  });

  it('does not print again what follows a node that it meets twice', async () => {
    await graph.query(
      `MATCH (r:Entity {urn: $report}) MATCH (l:Entity {urn: $load}) CREATE (r)-[:FEEDS {createdAt: datetime('2024-01-01T00:00:00Z')}]->(l)`,
      { report: story.dataset('report'), load: story.job('load') },
    );
    const lines = await tree(story.dataset('raw'), '--kind', 'Dataset', '--kind', 'Job', '--depth', '2');
    expect(lines).toEqual([
      line(0, 'Dataset', story.dataset('raw')),
      line(1, 'Job', story.job('load')),
      line(2, 'Dataset', story.dataset('orders')),
      line(3, 'Job', story.job('sum')),
      line(4, 'Dataset', story.dataset('report')),
      line(5, 'Job', story.job('load'), ' (see above)'),
    ]);
  });

  it('says that there is more than it prints', async () => {
    const { code, stdout, stderr } = await nucleus(story.dataset('raw'), '--limit', '2');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'there is more: raise --limit, or lower --depth\n' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('prints one JSON value, and adds up what comes in parts', async () => {
    const hub = story.dataset('hub');
    await graph.query(
      `CREATE (h:Entity:Dataset {urn: $hub, name: 'hub', version: 1})
       WITH h UNWIND range(1, 700) AS i
       CREATE (h)-[:FEEDS {createdAt: datetime('2024-01-01T00:00:00Z')}]->(:Entity:Job {urn: $job + i, name: 'reader', version: 1})`,
      { hub, job: story.job('reader-') },
    );
    const { stdout } = await nucleus(hub, '--json');
    const { urn, nodes, edges, truncated } = JSON.parse(stdout);
    expect({ urn, truncated, nodes: nodes.length, edges: edges.length }).toEqual({
      urn: hub,
      truncated: null,
      nodes: 701,
      edges: 700,
    });
  });

  it('prints the runs and versions behind a version, and those that it has reached', async () => {
    const runs = await writeRunStory(graph, `${PREFIX}-runs`);
    const lines = async (...args: string[]) =>
      (await tree(...args, '--level', 'run')).map((text) =>
        text.replaceAll(`${PREFIX}-runs-`, '').replace(/ {2}nucleus.*/, ''),
      );
    const [sum1, raw1] = [runs.version('report', 'sum-1'), runs.version('raw', 'load-1')];
    expect(await lines(sum1, '--upstream')).toEqual([
      'DatasetVersion run-sum-1 (of report, written 2026-01-01T00:03:00Z)',
      '  Run sum-1 (of sum, COMPLETE, ended 2026-01-01T00:03:00Z)',
      '    DatasetVersion run-load-1 (of raw, written 2026-01-01T00:01:00Z)',
      '      Run load-1 (of load, COMPLETE, ended 2026-01-01T00:01:00Z)',
    ]);
    expect(await lines(raw1, '--depth', '1')).toEqual([
      'DatasetVersion run-load-1 (of raw, written 2026-01-01T00:01:00Z)',
      '  Run sum-1 (of sum, COMPLETE, ended 2026-01-01T00:03:00Z)',
      '    DatasetVersion run-sum-1 (of report, written 2026-01-01T00:03:00Z)',
      '  Run sum-x (of sum, FAIL, ended 2026-01-01T00:05:00Z)',
    ]);
    const { stdout } = await nucleus(runs.dataset('raw'), '--level', 'run', '--upstream', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      urn: runs.version('raw', 'load-2'),
      nodes: [{ version: { dataset: runs.dataset('raw') } }, { urn: runs.run('load-2') }],
      edges: [{ kind: 'WROTE', facets: null }],
      truncated: null,
    });
    for (const option of [['--ever'], ['--at', '2024-01-01T00:00Z'], ['--kind', 'Job']]) {
      expect(await nucleus(sum1, '--level', 'run', ...option)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('does not go with --level run'),
      });
    }
  });

  it('tells bad usage from what is not there', async () => {
    const urn = story.dataset('orders');
    expect(await nucleus(urn, '--depth', '0')).toMatchObject({ code: 2 });
    expect(await nucleus(urn, '--limit', '0')).toMatchObject({ code: 2 });
    expect(await nucleus(urn, '--at', 'yesterday')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('at must'),
    });
    expect(await nucleus(`${urn}-none`)).toMatchObject({ code: 3, stdout: '' });
  });

  it('is followed by tail, which prints what happens in it and nothing else', async () => {
    const followed = await writeStory(graph, `${PREFIX}-followed`);
    const describe = (name: string, description: string) =>
      graph.store.write(
        { entities: [{ kind: 'Dataset', urn: followed.dataset(name), name, properties: { description } }] },
        { actor: PREFIX },
      );
    const after = encodeEventCursor(await graph.log.head());
    for (const name of ['report', 'orders', 'raw']) await describe(name, 'followed');
    const start = (...args: string[]) =>
      startNucleusCli(['tail', '--json', '--after', after, ...args], { env: { NUCLEUS_URL: app.url } });
    const urnsIn = (lines: readonly string[]) => lines.map((text) => JSON.parse(text).items[0].urn);
    await using upstream = start('--lineage', followed.dataset('orders'));
    expect(urnsIn(await upstream.lines(2))).toEqual([followed.dataset('orders'), followed.dataset('raw')]);
    await using downstream = start('--lineage', followed.dataset('orders'), '--downstream', '--depth', 'all');
    expect(urnsIn(await downstream.lines(2))).toEqual([followed.dataset('report'), followed.dataset('orders')]);
    for (const wrong of [
      ['--kind', 'Job'],
      ['--depth', '0'],
    ]) {
      await using refused = start('--lineage', followed.dataset('orders'), ...wrong);
      expect(await refused.ended).toMatchObject({ code: 2 });
    }
    await using nothing = start('--lineage', followed.dataset('nothing'));
    expect(await nothing.ended).toMatchObject({ code: 3 });
  });

  it('is completed by the shell', async () => {
    const { stdout } = await callNucleusCli(['--get-yargs-completions', 'nucleus', 'lineage', '--level', '']);
    expect(stdout.trimEnd().split('\n')).toEqual(expect.arrayContaining(['dataset', 'job', 'field', 'run']));
  });
});
