import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINEAGE_LEVELS } from '#graph-schema';
import type { TestGraph } from '../support/graph.js';
import type { HttpApp } from '../support/http-app.js';
import { INSTANTS, lineageGraphs, urnsIn, writeLineage } from '../support/lineage-graphs.js';
import { openStoryApp, type StoryApp } from '../support/story-app.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('selections');

let opened: StoryApp;
let graph: TestGraph;
let app: HttpApp;
beforeAll(async () => {
  opened = await openStoryApp(PREFIX);
  ({ graph, app } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

let graphs = 0;
const nextNamespace = (): string => `${PREFIX}-${graphs++}`;

const INTERVAL = 'intervals { from to firstRun lastRun firstActor lastActor }';
const MANUAL = 'manual { operation actor at note }';
/** How each field is asked for. */
const EDGE_FIELDS = {
  ...{ kind: 'kind', from: 'from', to: 'to', via: 'via', current: 'current', firstRun: 'firstRun', lastRun: 'lastRun' },
  ...{ intervals: INTERVAL, manual: MANUAL },
};
const NODE_FIELDS = {
  ...{ urn: 'urn', kind: 'kind', labels: 'labels', name: 'name', depth: 'depth', placeholder: 'placeholder' },
  ...{ deletedAt: 'deletedAt', browserUrl: 'browserUrl' },
};

/** Some fields, each under its name or an alias, plainly or in a fragment or under a directive. */
const selectionOf = (fields: Readonly<Record<string, string>>) =>
  fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...Object.keys(fields)),
      isAliased: fc.boolean(),
      wrap: fc.constantFrom('plain', 'fragment', 'included', 'skipped'),
    }),
    { selector: ({ name }) => name, minLength: 1 },
  );

type Selection = typeof selectionOf extends (fields: Readonly<Record<string, string>>) => fc.Arbitrary<infer T>
  ? T
  : never;

const WRAPS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  fragment: (text) => `... { ${text} }`,
  included: (text) => `... @include(if: $yes) { ${text} }`,
  skipped: (text) => `... @skip(if: $yes) { ${text} }`,
};

function textOf(selection: Selection, fields: Readonly<Record<string, string>>): string {
  const one = ({ name, isAliased, wrap }: Selection[number]) =>
    WRAPS[wrap]?.(`${isAliased ? `my_${name}: ` : ''}${fields[name]}`);
  return ['__typename', ...selection.map(one)].join(' ');
}

type Row = Readonly<Record<string, unknown>>;

/** What is left of an item in which everything was selected. */
function asSelected(item: Row, selection: Selection): Row {
  const kept = selection.filter(({ wrap }) => wrap !== 'skipped');
  return Object.fromEntries([
    ['__typename', item.__typename],
    ...kept.map(({ name, isAliased }) => [isAliased ? `my_${name}` : name, item[name]]),
  ]);
}

const ARGUMENTS = `$urn: ID!, $level: LineageLevel!, $view: LineageView, $at: Instant, $maxNodes: Int!, $yes: Boolean!`;
const queryOf = (nodes: string, edges: string) => `query (${ARGUMENTS}) {
  lineage(urn: $urn, direction: BOTH, level: $level, view: $view, at: $at, maxNodes: $maxNodes) {
    nodes { ${nodes} } edges { ${edges} } truncated { reason @include(if: $yes) }
  }
}`;
const EVERYTHING = queryOf(
  ['__typename', ...Object.values(NODE_FIELDS)].join(' '),
  ['__typename', ...Object.values(EDGE_FIELDS)].join(' '),
);

const VIEWS = [{}, { view: 'EVER' }, { at: INSTANTS[3] }];

async function lineage(query: string, variables: Row): Promise<{ nodes: Row[]; edges: Row[] }> {
  const { data, errors } = await app.graphql(query, variables);
  expect(errors).toBeUndefined();
  return data.lineage;
}

describe('whatever is selected of a walk', () => {
  // Of a few selections each, in all views and levels: what is read depends on all three.
  it('is answered as when everything is', async () => {
    let told = 0;
    await fc.assert(
      fc.asyncProperty(
        lineageGraphs(nextNamespace),
        fc.array(fc.record({ nodes: selectionOf(NODE_FIELDS), edges: selectionOf(EDGE_FIELDS) }), {
          minLength: 4,
          maxLength: 4,
        }),
        async (model, selections) => {
          await writeLineage(graph, { ...model, nodes: model.nodes.map((node) => ({ ...node, deletedAt: null })) });
          const urns = urnsIn(model.nodes[0]?.urn.split(':')[2] ?? '');
          for (const level of LINEAGE_LEVELS) {
            for (const view of VIEWS) {
              const urn = { DATASET: urns.dataset(0), JOB: urns.job(0), FIELD: urns.field(0) }[level];
              // One part of a walk is read by another statement than the whole.
              for (const maxNodes of [500, 4]) {
                const variables = { urn, level, ...view, maxNodes, yes: true };
                const whole = await lineage(EVERYTHING, variables);
                told += whole.edges.length;
                for (const { nodes, edges } of selections) {
                  const query = queryOf(textOf(nodes, NODE_FIELDS), textOf(edges, EDGE_FIELDS));
                  const some = await lineage(query, variables);
                  expect(some.edges).toEqual(whole.edges.map((edge) => asSelected(edge, edges)));
                  expect(some.nodes).toEqual(whole.nodes.map((node) => asSelected(node, nodes)));
                }
              }
            }
          }
        },
      ),
      { numRuns: 1, seed: 11, endOnFailure: true },
    );
    expect(told).toBeGreaterThan(0);
  });

  it('of a comparison, too', async () => {
    const { story } = opened;
    const query = (edges: string) => `query ($urn: ID!, $from: Instant!) {
      lineageDiff(urn: $urn, from: $from, depth: null) { added { edges { ${edges} } } removed { edges { from } } }
    }`;
    const variables = { urn: story.dataset('raw'), from: INSTANTS[0] };
    const added = async (edges: string): Promise<Row[]> => {
      const { data, errors } = await app.graphql(query(edges), variables);
      expect(errors).toBeUndefined();
      return data.lineageDiff.added.edges;
    };
    const whole = await added(Object.values(EDGE_FIELDS).join(' '));
    expect(whole.map(({ firstRun }) => firstRun)).toEqual(['nucleus:run:first-0', 'nucleus:run:first-0']);
    for (const fields of [['kind', 'to'], ['lastRun', 'via'], ['current', 'firstRun'], ['intervals']] as const) {
      const selected = fields.map((name) => EDGE_FIELDS[name]).join(' ');
      expect(await added(selected)).toEqual(
        whole.map((edge) => Object.fromEntries(fields.map((name) => [name, edge[name]]))),
      );
    }
  });
});
