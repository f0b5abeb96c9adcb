import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as graphSchema from '#graph-schema';
import {
  createEdges,
  ENTITY_LABELS,
  type EntityKind,
  type KeysetStatement,
  lineageEdges,
  lineageHub,
  lineageNear,
  lineagePaths,
  lineageStart,
  lineageStep,
  readHeld,
  runLineageEdges,
  runLineageHub,
  runLineageStep,
  updateEdges,
  updateEntities,
} from '#graph-schema';
import { openSharedGraph, type TestGraph } from '../support/graph.js';

/** Every statement that the graph store runs, by its name. */
function statements(): Record<string, string> {
  const fixed = Object.entries(graphSchema).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'string' && /\b(MATCH|MERGE|CREATE)\b/.test(value)) return [[name, value]];
    if (isKeysetStatement(value))
      return [
        [`${name}.page`, value.page],
        [`${name}.count`, value.count],
      ];
    return [];
  });
  const byKind = (Object.keys(ENTITY_LABELS) as EntityKind[]).map((kind): [string, string] => [
    `updateEntities(${kind})`,
    updateEntities(kind),
  ]);
  // Edge statements differ in the type alone, so one of them stands for all.
  const ofEdge = [createEdges, updateEdges].map((make): [string, string] => [`${make.name}(FEEDS)`, make('FEEDS')]);
  const ofLooks: [string, string][] = [
    ['readHeld(nodes)', readHeld(false)],
    ['readHeld(nodes, locked)', readHeld(true)],
    ['readHeld(nodes, FEEDS and READ, locked)', readHeld(true, ['FEEDS', 'READ'])],
  ];
  return Object.fromEntries(
    [...fixed, ...byKind, ...ofEdge, ...ofLooks, ...LINEAGE].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const BOTH_WAYS = ['DOWNSTREAM', 'UPSTREAM'] as const;

/** Each form with its plainest and its richest view; levels differ in the types of the edges, and JOB in pairs of them. */
const LINEAGE: readonly [string, string][] = [
  ['lineageStart(DATASET, CURRENT)', lineageStart('DATASET', 'CURRENT')],
  ['lineageStart(FIELD, AT)', lineageStart('FIELD', 'AT')],
  ['lineageStep(DATASET, CURRENT, downstream)', lineageStep('DATASET', 'CURRENT', 'DOWNSTREAM')],
  ['lineageStep(FIELD, AT, upstream)', lineageStep('FIELD', 'AT', 'UPSTREAM')],
  ['lineageHub(DATASET, downstream)', lineageHub('DATASET', 'DOWNSTREAM')],
  [
    'lineageNear(DATASET, CURRENT, runs, downstream, 6)',
    lineageNear({ level: 'DATASET', view: 'CURRENT', detail: 'RUNS', ways: ['DOWNSTREAM'], maxSteps: 6 }),
  ],
  [
    'lineageNear(FIELD, EVER, ends, upstream, 3)',
    lineageNear({ level: 'FIELD', view: 'EVER', detail: 'ENDS', ways: ['UPSTREAM'], maxSteps: 3 }),
  ],
  [
    'lineageNear(JOB, AT, whole, both, any)',
    lineageNear({ level: 'JOB', view: 'AT', detail: 'WHOLE', ways: BOTH_WAYS, maxSteps: null }),
  ],
  [
    'lineageEdges(DATASET, CURRENT, runs, first part)',
    lineageEdges({ level: 'DATASET', view: 'CURRENT', detail: 'RUNS', way: 'DOWNSTREAM', hasEarlier: false }),
  ],
  [
    'lineageEdges(JOB, AT, whole, later part)',
    lineageEdges({ level: 'JOB', view: 'AT', detail: 'WHOLE', way: 'UPSTREAM', hasEarlier: true }),
  ],
  ['lineagePaths(DATASET, CURRENT, 60)', lineagePaths('DATASET', 'CURRENT', 60)],
  ['lineagePaths(FIELD, AT, 30)', lineagePaths('FIELD', 'AT', 30)],
  ['runLineageStep(RUN, downstream)', runLineageStep('RUN', 'DOWNSTREAM')],
  ['runLineageStep(VERSION, upstream)', runLineageStep('VERSION', 'UPSTREAM')],
  ['runLineageHub(VERSION, downstream)', runLineageHub('VERSION', 'DOWNSTREAM')],
  ['runLineageEdges(upstream, first part)', runLineageEdges({ way: 'UPSTREAM', hasEarlier: false })],
  ['runLineageEdges(downstream, later part)', runLineageEdges({ way: 'DOWNSTREAM', hasEarlier: true })],
];

function isKeysetStatement(value: unknown): value is KeysetStatement {
  return typeof value === 'object' && value !== null && 'page' in value && 'count' in value;
}

const STATEMENTS = statements();

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

describe('the Cypher of the graph store', () => {
  it('is what was reviewed', async () => {
    const text = Object.entries(STATEMENTS).map(([name, cypher]) => `// ${name}\n${cypher.trim()};\n`);
    await expect(text.join('\n')).toMatchFileSnapshot('cypher-statements.cypher');
  });

  it.each(Object.keys(STATEMENTS))('%s is planned by Neo4j without a scan of all nodes', async (name) => {
    const cypher = STATEMENTS[name] ?? '';
    const parameters = Object.fromEntries([...cypher.matchAll(/\$(\w+)/g)].map(([, key]) => [String(key), null]));
    const { summary } = await graph.driver.executeQuery(`EXPLAIN ${cypher}`, parameters);
    expect(operators(summary.plan)).not.toContainEqual(expect.stringMatching(/AllNodesScan/));
  });
});

interface Plan {
  readonly operatorType: string;
  readonly children: readonly Plan[];
}

const operators = (plan: Plan | false): string[] =>
  plan === false ? [] : [plan.operatorType, ...plan.children.flatMap(operators)];
