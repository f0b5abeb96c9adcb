import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatUrn, runUrn, SAVED_QUERIES, unitUrn } from '#graph-schema';
import { type IngestionRoom, openIngestionRoom, resultOf, UNIT_ID } from '../support/ingestion-room.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';
import { type LineageStory, STORY_TIMES, writeStory } from '../support/lineage-story.js';
import { minute } from '../support/openlineage-events.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('browser-queries');
const SHOP = `${PREFIX}-shop`;
const [GOOD, BAD] = [randomUUID(), randomUUID()];

let opened: IntakeApp;
let room: IngestionRoom;
let story: LineageStory;
beforeAll(async () => {
  opened = await openIntakeApp();
  room = await openIngestionRoom(opened.graph);
  story = await writeStory(opened.graph, PREFIX);
  const told = { namespace: SHOP };
  const run = (runId: string, eventType: string, at: number) => ({
    ...{ eventType, eventTime: minute(at), run: { runId }, job: { ...told, name: 'copy' } },
    ...{ inputs: [{ ...told, name: 'orders' }], outputs: [{ ...told, name: 'copies' }] },
  });
  await opened.tell([
    { eventTime: minute(0), dataset: { ...told, name: 'alone' } },
    run(GOOD, 'START', 1),
    run(GOOD, 'COMPLETE', 2),
    run(BAD, 'START', 3),
    run(BAD, 'FAIL', 4),
  ]);
});
afterAll(async () => {
  await room[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

function cypherOf(id: string): string {
  const query = SAVED_QUERIES.find((candidate) => candidate.id === id);
  if (query === undefined) throw new Error(`no query ${id}`);
  return query.cypher;
}

const rowsOf = (id: string, parameters: Record<string, unknown> = {}) => opened.graph.query(cypherOf(id), parameters);

/** Rows of a query about the whole graph that are of this file, however many others there are. */
async function ownRows(id: string): Promise<Record<string, unknown>[]> {
  const rows = await opened.graph.query(cypherOf(id).replace(/ LIMIT \d+$/, ''));
  return rows.filter((row) => JSON.stringify(row).includes(PREFIX));
}

interface Picture {
  readonly nodes: readonly string[];
  readonly edges: readonly string[];
}

/** What Browser draws of a walk. */
async function pictureOf(id: string, parameters: Record<string, unknown>): Promise<Picture> {
  const rows = await rowsOf(id, parameters);
  const urnOf = (node: unknown) => (node as { properties: { urn: string } }).properties.urn;
  const edges = rows
    .filter(({ r }) => r !== null)
    .map(({ n, r, m }) => `${urnOf(n)} ${(r as { type: string }).type} ${urnOf(m)}`);
  return { nodes: [...new Set(rows.map(({ n }) => urnOf(n)))].sort(), edges: edges.sort() };
}

/** The same by the API. */
async function lineageOf(variables: Record<string, unknown>): Promise<Picture> {
  const { data, errors } = await opened.app.graphql(
    `query ($urn: ID!, $direction: LineageDirection!, $view: LineageView, $at: Instant) {
      lineage(urn: $urn, direction: $direction, view: $view, at: $at, depth: 6) { nodes { urn } edges { kind from to } }
    }`,
    variables,
  );
  expect(errors).toBeUndefined();
  const { nodes, edges } = data.lineage as {
    nodes: { urn: string }[];
    edges: Record<'kind' | 'from' | 'to', string>[];
  };
  return {
    nodes: nodes.map(({ urn }) => urn).sort(),
    edges: edges.map(({ kind, from, to }) => `${from} ${kind} ${to}`).sort(),
  };
}

describe('lineage in Neo4j Browser', () => {
  const directions = ['UPSTREAM', 'DOWNSTREAM'] as const;

  it.each(directions)('%s draws what the API answers, now', async (direction) => {
    for (const name of ['raw', 'orders', 'report', 'old']) {
      const urn = story.dataset(name);
      const answer = await lineageOf({ urn, direction });
      expect(answer.nodes).toContain(urn);
      expect(await pictureOf(direction.toLowerCase(), { urn })).toEqual(answer);
    }
  });

  it.each(directions)('%s draws what the API answers, as of each time of the story', async (direction) => {
    for (const at of Object.values(STORY_TIMES)) {
      const urn = story.dataset('orders');
      const answer = await lineageOf({ urn, direction, view: 'AT', at });
      expect(answer.nodes.length).toBeGreaterThan(1);
      expect(await pictureOf(`${direction.toLowerCase()}-at`, { urn, at })).toEqual(answer);
    }
  });

  it('takes a time of any zone, or a day', async () => {
    const urn = story.dataset('orders');
    const during = await pictureOf('downstream-at', { urn, at: '2024-01-03T00:00:00+02:00' });
    expect(during.nodes).toContain(story.dataset('old'));
    expect(await pictureOf('downstream-at', { urn, at: '2024-01-03' })).toEqual(during);
    expect((await pictureOf('downstream-at', { urn, at: '2024-01-05' })).nodes).not.toContain(story.dataset('old'));
  });

  it('tells what was and is no more', async () => {
    expect(await rowsOf('ended', { urn: story.dataset('orders') })).toEqual([
      {
        kind: 'FEEDS',
        urn: story.job('legacy'),
        began: [STORY_TIMES.legacy],
        ended: [STORY_TIMES.legacyEnd],
        deleted: null,
      },
    ]);
  });

  it('tells what columns are made of', async () => {
    const rows = await rowsOf('columns', { urn: story.dataset('report') });
    expect(rows.map(({ madeOf }) => madeOf)).toEqual([story.field('orders'), story.field('raw')].sort());
  });

  it('tells whom a change concerns', async () => {
    const owner = formatUrn('owner', [`${PREFIX}-ada`]);
    await opened.graph.store.write(
      {
        entities: [{ kind: 'Owner', urn: owner, name: 'Ada', properties: { email: 'ada@example.com' } }],
        edges: [{ kind: 'OWNED_BY', from: story.dataset('report'), to: owner }],
      },
      { actor: 'test' },
    );
    const owns = { owner: 'Ada', email: 'ada@example.com', owns: [story.dataset('report')] };
    expect(await rowsOf('owners', { urn: story.dataset('raw') })).toEqual([owns]);
    expect(await rowsOf('owners', { urn: story.dataset('old') })).toEqual([]);
  });

  it('finds by a part of the name', async () => {
    const rows = await rowsOf('find', { text: `${PREFIX}:Orders`.toUpperCase() });
    expect(rows.map(({ urn }) => urn)).toEqual([story.dataset('orders')]);
  });
});

describe('runs in Neo4j Browser', () => {
  const copy = formatUrn('job', [SHOP, 'copy']);

  it('lists the runs of a job, the latest first', async () => {
    const rows = await rowsOf('run-history', { urn: copy });
    expect(rows.map(({ urn, state }) => [urn, state])).toEqual([
      [runUrn(BAD), 'FAIL'],
      [runUrn(GOOD), 'COMPLETE'],
    ]);
    expect(String(rows[1]?.took)).toBe('PT1M');
  });

  it('lists the failed ones', async () => {
    const rows = await opened.graph.query(cypherOf('failed-runs').replace(/ LIMIT \d+$/, ''));
    const own = rows.filter(({ run }) => run === runUrn(BAD) || run === runUrn(GOOD));
    expect(own.map(({ job, run, state }) => [job, run, state])).toEqual([['copy', runUrn(BAD), 'FAIL']]);
  });

  it('draws what a run has read and written', async () => {
    const rows = await rowsOf('run-versions', { urn: runUrn(GOOD) });
    const drawn = rows.map(({ r, dataset }) => [
      (r as { type: string }).type,
      (dataset as { properties: { name: string } }).properties.name,
    ]);
    expect(drawn).toEqual([['WROTE', 'copies']]);
  });

  it('lists the versions of a data set with their runs', async () => {
    const rows = await rowsOf('versions', { urn: formatUrn('dataset', [SHOP, 'copies']) });
    expect(rows.map(({ writtenBy }) => writtenBy)).toContainEqual([runUrn(GOOD)]);
  });

  it('draws the chain of checkpoints of a unit, the latest first', async () => {
    const endpointId = `${PREFIX}-crm`;
    const runOf = await room.defineUnit(endpointId);
    for (const cursor of ['2024-01-01T00:00:00.000000Z', '2024-02-01T00:00:00.000000Z']) {
      const input = runOf();
      const { vendor, payload } = await room.control.startIngestionRun(input);
      const result = resultOf({ cursor });
      await room.control.completeIngestionRun({ ...input, vendor, checkpoint: payload.checkpoint, result });
    }
    const rows = await rowsOf('checkpoints', { urn: unitUrn(endpointId, UNIT_ID) });
    const name = (node: unknown) => (node as { properties: { name: string } } | null)?.properties.name ?? null;
    expect(rows.map(({ checkpoint, before }) => [name(checkpoint), name(before)])).toEqual([
      ['2024-02-01T00:00:00.000000Z', '2024-01-01T00:00:00.000000Z'],
      ['2024-01-01T00:00:00.000000Z', null],
    ]);
  });
});

describe('the whole graph in Neo4j Browser', () => {
  const shop = (name: string) => formatUrn('dataset', [SHOP, name]);

  it('lists orphans', async () => {
    expect((await ownRows('orphans')).map(({ urn }) => urn)).toContain(shop('alone'));
    expect((await ownRows('orphans')).map(({ urn }) => urn)).toEqual(
      expect.not.arrayContaining([shop('orders'), shop('copies'), story.dataset('orders')]),
    );
  });

  it('counts what has ended as no neighbour', async () => {
    expect((await ownRows('orphans')).map(({ urn }) => urn)).toContain(story.dataset('old'));
    const hubs = await ownRows('hubs');
    expect(hubs.find(({ urn }) => urn === story.dataset('orders'))?.neighbours).toBe(2);
  });

  it('lists what is written and never read', async () => {
    const urns = (await ownRows('dead-ends')).map(({ urn }) => urn);
    expect(urns).toContain(shop('copies'));
    expect(urns).not.toContain(story.dataset('orders'));
  });

  it('counts the kinds', async () => {
    const rows = await rowsOf('kinds');
    expect(rows.map(({ label }) => label)).toEqual(expect.arrayContaining(['Dataset', 'Job', 'Run', 'Field']));
    expect(rows.every(({ nodes }) => Number(nodes) > 0)).toBe(true);
  });
});

describe('every saved query', () => {
  it.each(SAVED_QUERIES)('$id reads only, and Neo4j has nothing to warn of', async ({ cypher }) => {
    const parameters = { urn: story.dataset('orders'), at: '2024-01-02', text: PREFIX };
    const { summary } = await opened.graph.driver.executeQuery(cypher, parameters);
    expect(summary.queryType).toBe('r');
    // Names that no node has yet are no fault of the query: it depends on what is in the graph.
    const warnings = summary.gqlStatusObjects.filter(
      ({ isNotification, rawClassification }) => isNotification && rawClassification !== 'UNRECOGNIZED',
    );
    expect(warnings).toEqual([]);
  });

  it.each(SAVED_QUERIES)('$id names the parameters that it takes', ({ cypher, parameters }) => {
    expect([...new Set(cypher.match(/(?<=\$)\w+/g))].sort()).toEqual([...parameters].sort());
  });
});

it('has a link for everything that the ingestion queries list', async () => {
  const { data, errors } = await opened.app.graphql(`{
    metadataEndpointTemplates { urn browserUrl }
    metadataEndpoints(first: 1) { nodes { urn browserUrl } }
    ingestionUnits(first: 1) { nodes { urn browserUrl } }
    ingestionStatuses(first: 1) { nodes { urn browserUrl } }
    ingestionRuns(first: 1) { nodes { urn browserUrl } }
  }`);
  expect(errors).toBeUndefined();
  const { metadataEndpointTemplates, ...lists } = data as {
    metadataEndpointTemplates: { urn: string; browserUrl: string }[];
    [list: string]: unknown;
  };
  const nodes = Object.values(lists as Record<string, { nodes: { urn: string; browserUrl: string }[] }>).flatMap(
    (list) => list.nodes,
  );
  expect(nodes).toHaveLength(4);
  for (const { urn, browserUrl } of [...metadataEndpointTemplates, ...nodes]) {
    expect(decodeURIComponent(browserUrl)).toContain(`urn: '${urn}'`);
  }
});

it('has a link for everything that the generated queries list, under any name', async () => {
  const types = ['datasets', 'datasetVersions', 'fields', 'jobs', 'runs', 'tags', 'owners', 'glossaryTerms', 'domains'];
  const { data, errors } = await opened.app.graphql(`{
    ${types.map((list) => `${list}(limit: 2) { at: urn link: browserUrl browserUrl }`).join('\n')}
  }`);
  expect(errors).toBeUndefined();
  const lists = data as Record<string, { at: string; link: string; browserUrl: string }[]>;
  const nodes = Object.values(lists).flat();
  expect(lists.datasets).toHaveLength(2);
  expect(nodes.map(({ browserUrl }) => decodeURIComponent(browserUrl))).toEqual(
    nodes.map(({ at }) => expect.stringContaining(`urn: '${at}'`)),
  );
  expect(nodes.map(({ link }) => link)).toEqual(nodes.map(({ browserUrl }) => browserUrl));
});
