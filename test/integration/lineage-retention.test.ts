import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, datasetVersionUrn, formatUrn, runUrn } from '#graph-schema';
import { REPOSITORY_ROOT } from '#stack';
import { decodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber } from '../support/change-subscriber.js';
import { type IntakeApp, openIntakeApp } from '../support/intake-app.js';
import { type Json, runEvent } from '../support/openlineage-events.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('retention');
const APPLY = /* GraphQL */ `
  mutation ($input: ApplyLineageRetentionInput!) {
    applyLineageRetention(input: $input) {
      olderThan keepRunsPerJob runs versions isComplete commit userErrors { code field message }
    }
  }
`;
const WALK = /* GraphQL */ `
  query ($urn: ID!, $view: LineageView, $at: Instant, $level: LineageLevel! = DATASET) {
    lineage(urn: $urn, view: $view, at: $at, level: $level, direction: BOTH, depth: null, deadlineMs: 30000) {
      truncated { reason }
      nodes { urn depth }
      edges { kind from to via current intervals { from to firstRun lastRun } }
    }
  }
`;
const RUNS = /* GraphQL */ `
  query ($urn: ID!) { runLineage(urn: $urn, direction: UPSTREAM) { nodes { urn } } }
`;
const CHANGES = (urn: string) => `subscription {
  graphChanges: lineageChanges(urn: "${urn}", direction: UPSTREAM, depth: null) {
    kind cursor changes { cursor actor runId items { operation urn kind to version before after } }
  }
}`;

let intake: IntakeApp;
beforeAll(async () => {
  intake = await openIntakeApp();
});
afterAll(() => intake?.[Symbol.asyncDispose]());

const named = (name: string) => ({ namespace: PREFIX, name });
const data = (name: string) => datasetUrn(PREFIX, name);
const run = (name: string) => runUrn(`${PREFIX}-${name}`);
const version = (of: string, by: string) => datasetVersionUrn(PREFIX, of, `run-${PREFIX}-${by}`);
const day = (n: number) => `2025-03-${String(n).padStart(2, '0')}T08:00:00Z`;

function event(at: number, name: string, job: string, members: Json = {}) {
  return runEvent({
    ...{ eventTime: day(at), run: { runId: `${PREFIX}-${name}` }, job: named(job), inputs: [], outputs: [] },
    ...members,
  });
}

const column = (from: string) => ({
  columnLineage: { fields: { id: { inputFields: [{ ...named(from), field: 'id' }] } } },
  schema: { fields: [{ name: 'id' }] },
});

/** `raw → load → orders → sum → report` for some days; in the first of them `load` reads `legacy`, too. */
function story(): Json[] {
  return [1, 2, 3, 4, 5, 6].flatMap((at) => [
    event(at, `load${at}`, 'load', {
      inputs: [named('raw'), ...(at < 3 ? [named('legacy')] : [])],
      outputs: [{ ...named('orders'), facets: column('raw') }],
    }),
    event(at, `sum${at}`, 'sum', {
      eventTime: day(at).replace('08', '09'),
      inputs: [named('orders')],
      outputs: [{ ...named('report'), facets: column('orders') }],
    }),
  ]);
}

async function apply(input: Json) {
  const { data: answer, errors } = await intake.app.graphql(APPLY, { input: { namespace: PREFIX, ...input } });
  expect(errors).toBeUndefined();
  return answer.applyLineageRetention;
}

const VIEWS: readonly Json[] = [{ view: 'CURRENT' }, { view: 'EVER' }, { at: day(2) }, { at: day(4) }];

/** All that can be asked of lineage. */
async function answers() {
  const starts = [
    ...['orders', 'legacy'].map((name) => ({ urn: data(name) })),
    { urn: data('report'), level: 'FIELD' },
  ];
  const asked = starts.flatMap((start) => VIEWS.map((view) => ({ ...start, ...view })));
  const told: object[] = [];
  for (const variables of asked) told.push((await intake.app.graphql(WALK, variables)).data);
  return told;
}

async function there(label: string) {
  const found = await intake.graph.query(
    `MATCH (n:${label}) WHERE n.urn CONTAINS $prefix AND n.deletedAt IS NULL RETURN n.urn AS urn ORDER BY urn`,
    { prefix: PREFIX },
  );
  return found.map(({ urn }) => urn);
}

describe('applyLineageRetention', () => {
  let before: unknown[];
  let subscriber: ChangeSubscriber;
  beforeAll(async () => {
    await intake.tell(story());
    before = await answers();
    subscriber = new ChangeSubscriber(intake.app.socketUrl, {}, CHANGES(data('orders')));
    await subscriber.until(() => subscriber.events.find(({ kind }) => kind === 'SUBSCRIBED'));
  });
  afterAll(() => subscriber?.[Symbol.asyncDispose]());

  it('tells in a dry run what it is going to do, and changes nothing', async () => {
    const head = await intake.graph.log.head();
    expect(await apply({ olderThan: day(6), keepRunsPerJob: 2, dryRun: true })).toEqual({
      ...{ olderThan: '2025-03-06T08:00:00.000000000Z', keepRunsPerJob: 2, isComplete: true, commit: null },
      ...{ runs: 8, versions: 8, userErrors: [] },
    });
    expect(await there('Run')).toHaveLength(12);
    const changes = await intake.graph.log.read({ after: head, upTo: await intake.graph.log.head(), limit: 1_000 });
    expect(changes.filter(({ items }) => items.some(({ urn }) => urn.includes(PREFIX)))).toEqual([]);
  });

  it('removes just that, and keeps what the runs that stay have read and written', async () => {
    const done = await apply({ olderThan: day(6), keepRunsPerJob: 2, dryRun: false });
    expect(done).toMatchObject({ runs: 8, versions: 8, isComplete: true, commit: expect.any(String), userErrors: [] });
    expect(await there('Run')).toEqual(['load5', 'load6', 'sum5', 'sum6'].map(run));
    expect(await there('DatasetVersion')).toEqual([
      ...['load5', 'load6'].map((by) => version('orders', by)),
      ...['sum5', 'sum6'].map((by) => version('report', by)),
    ]);
    expect(await apply({ olderThan: day(6), keepRunsPerJob: 2, dryRun: false })).toMatchObject({
      ...{ runs: 0, versions: 0, commit: null },
    });
  });

  it('leaves every answer about lineage as it was, at every time', async () => {
    expect(before).toEqual(before.map(() => ({ lineage: expect.objectContaining({ truncated: null }) })));
    expect(await answers()).toEqual(before);
    const [edge] = (before as { lineage: { edges: { to: string; intervals: object[] }[] } }[]).flatMap(({ lineage }) =>
      lineage.edges.filter(({ to }) => to === formatUrn('job', [PREFIX, 'load'])),
    );
    expect(edge?.intervals).toMatchObject([{ firstRun: run('load1') }]);
  });

  it('is told to those who watch the graph, and those who watch the lineage of the runs', async () => {
    const purged = await subscriber.until(() => {
      const items = subscriber.changes
        .flatMap(({ items: all }) => all)
        .filter(({ operation }) => operation === 'PURGED');
      return items.length >= 4 ? items : undefined;
    });
    expect(purged.map(({ urn }) => urn).sort()).toEqual([1, 2, 3, 4].map((n) => run(`load${n}`)));
    const changes = await intake.graph.log.read({
      after: decodeEventCursor(subscriber.events[0]?.cursor ?? ''),
      upTo: await intake.graph.log.head(),
      limit: 1_000,
    });
    const mine = changes.flatMap(({ actor, items }) =>
      items.some(({ urn }) => urn.includes(PREFIX)) ? [{ actor, items }] : [],
    );
    const purges = mine.flatMap(({ items }) => items.filter(({ operation }) => operation === 'purged'));
    expect(purges.filter(({ kind }) => kind === 'Run')).toHaveLength(8);
    expect(purges.filter(({ kind }) => kind === 'DatasetVersion')).toHaveLength(8);
    expect(new Set(mine.map(({ actor }) => actor))).toEqual(new Set(['api']));
  });

  it('makes what is gone not found, and leaves the log of it', async () => {
    for (const urn of [run('load1'), version('orders', 'load1')]) {
      const { data: node } = await intake.app.graphql('query ($urn: ID!) { node(urn: $urn) { urn } }', { urn });
      expect(node.node).toBeNull();
      const { errors } = await intake.app.graphql(RUNS, { urn });
      expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    }
    const asOfRun = await intake.app.graphql(
      `query { lineage(urn: "${data('raw')}", asOfRun: "${run('load1')}") { urn } }`,
    );
    expect(asOfRun.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    const { data: walk } = await intake.app.graphql(RUNS, { urn: data('report') });
    const upstream = walk.runLineage.nodes.map(({ urn }: { urn: string }) => urn);
    expect(upstream).toEqual([version('report', 'sum6'), run('sum6'), version('orders', 'load6'), run('load6')]);
  });

  it('a late event of a run that is gone changes lineage, and brings nothing back', async () => {
    const [runs, versions] = [await there('Run'), await there('DatasetVersion')];
    await intake.tell([event(2, 'load2', 'load', { inputs: [named('late')], outputs: [named('aside')] })]);
    expect([await there('Run'), await there('DatasetVersion')]).toEqual([runs, versions]);
    const { data: walk } = await intake.app.graphql(WALK, { urn: data('late'), at: day(2) });
    expect(walk.lineage.edges).toContainEqual(
      expect.objectContaining({
        ...{ kind: 'FEEDS', from: data('late'), to: formatUrn('job', [PREFIX, 'load']), current: false },
        intervals: [expect.objectContaining({ from: '2025-03-02T08:00:00.000000000Z', firstRun: run('load2') })],
      }),
    );
  });

  it('a run that is gone can be rolled back, and restored', async () => {
    const edit = async (name: string) => {
      const query = `mutation ($urn: ID!) { ${name}(input: { urn: $urn }) { urn commit userErrors { code } } }`;
      const { data: answer } = await intake.app.graphql(query, { urn: run('load2') });
      expect(answer[name]).toMatchObject({ urn: run('load2'), userErrors: [] });
      const { data: walk } = await intake.app.graphql(WALK, { urn: data('late'), at: day(2) });
      return walk.lineage.edges.length;
    };
    expect(await edit('rollBackRun')).toBe(0);
    expect(await edit('restoreRun')).toBeGreaterThan(0);
    expect(await there('Run')).toHaveLength(4);
  });

  it.each<[string, Json, string]>([
    ['no instant, where the settings keep all', {}, 'olderThan'],
    ['what is no instant', { olderThan: 'yesterday' }, 'olderThan'],
    ['an instant to come', { olderThan: '9000-01-01T00:00:00Z' }, 'olderThan'],
    ['a negative number of runs', { olderThan: day(1), keepRunsPerJob: -1 }, 'keepRunsPerJob'],
    ['more runs than can be kept', { olderThan: day(1), keepRunsPerJob: 1_001 }, 'keepRunsPerJob'],
    ['an empty namespace', { olderThan: day(1), namespace: '' }, 'namespace'],
    ['half a character', { olderThan: day(1), namespace: '\ud800' }, 'namespace'],
  ])('refuses %s', async (_, input, field) => {
    expect(await apply({ dryRun: false, ...input })).toMatchObject({
      ...{ olderThan: null, runs: 0, versions: 0, isComplete: false, commit: null },
      userErrors: [{ code: 'BAD_USER_INPUT', field: `input.${field}` }],
    });
  });
});

it('docs/lineage-retention.md has an example that runs', async () => {
  const page = readFileSync(`${REPOSITORY_ROOT}/docs/lineage-retention.md`, 'utf8');
  const [query = ''] = [...page.matchAll(/```graphql\n(.*?)```/gs)].map(([, text = '']) => text);
  const { data: answer, errors } = await intake.app.graphql(query.replace('airflow-test', PREFIX));
  expect(errors).toBeUndefined();
  expect(answer.applyLineageRetention).toMatchObject({ isComplete: true, commit: null, userErrors: [] });
});
