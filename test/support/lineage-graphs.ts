import fc from 'fast-check';
import { datasetUrn, formatUrn } from '#graph-schema';
import type { TestGraph } from './graph.js';
import type { ModelEdge, ModelGraph, ModelNode } from './lineage-model.js';

/** Instants at which things happen in random graphs; two differ in nanoseconds alone. */
export const INSTANTS = [
  '2024-01-01T00:00:00.000000000Z',
  '2024-01-02T00:00:00.000000001Z',
  '2024-01-02T00:00:00.000000002Z',
  '2024-01-03T12:30:15.500000000Z',
  '2024-01-04T00:00:00.000000000Z',
  '2024-01-05T00:00:00.000000000Z',
] as const;

/** Nodes of each label. */
const SIZE = 6;

const instant = fc.constantFrom(...INSTANTS);
const rarely = fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: instant });

/** Where intervals begin and end, in turns. */
const bounds = fc.uniqueArray(instant, { minLength: 1, maxLength: 5 }).map((list) => list.sort());

const rows = fc.record({
  kind: fc.constantFrom(
    'FEEDS' as const,
    'FEEDS' as const,
    'PRODUCES' as const,
    'PRODUCES' as const,
    'DERIVES' as const,
  ),
  from: fc.nat(SIZE - 1),
  to: fc.nat(SIZE - 1),
  bounds: fc.option(bounds),
  createdAt: instant,
  deletedAt: rarely,
});

/**
 * Small graphs with so many edges that cycles, diamonds and hubs are common; a column may feed itself. The nodes are in two
 * namespaces that begin with the given one.
 */
export function lineageGraphs(namespaceOf: () => string): fc.Arbitrary<ModelGraph> {
  return fc
    .record({
      nodes: fc.array(fc.record({ label: fc.constantFrom('Dataset', 'Job', 'Field', null), deletedAt: rarely }), {
        minLength: 3 * SIZE,
        maxLength: 3 * SIZE,
      }),
      edges: fc.uniqueArray(rows, {
        selector: ({ kind, from, to }) => `${kind} ${from} ${to}`,
        minLength: 45,
        maxLength: 75,
      }),
    })
    .map(({ nodes, edges }) => {
      const namespace = namespaceOf();
      const urns = urnsIn(namespace);
      return {
        nodes: nodes.map(({ label, deletedAt }, index): ModelNode => {
          const place = Math.floor(index / SIZE);
          const own = LABELS[place] ?? 'Dataset';
          const urn = urns[KINDS[place] ?? 'dataset'](index % SIZE);
          // Every fourth is a placeholder, but for the starts of walks.
          return { urn, label: label === null && index % SIZE > 0 ? null : own, deletedAt };
        }),
        edges: [
          ...edges.map((edge): ModelEdge => {
            const [from, to] = ENDS[edge.kind];
            const { kind, createdAt, deletedAt } = edge;
            const via = kind === 'DERIVES' ? urns.job(edge.from) : null;
            const intervals = edge.bounds === null ? null : intervalsBetween(edge.bounds);
            return { kind, from: urns[from](edge.from), to: urns[to](edge.to), via, intervals, createdAt, deletedAt };
          }),
          ...[0, 1, 2].map((field): ModelEdge => {
            const ends = { from: urns.dataset(0), to: urns.field(field) };
            const always = { via: null, intervals: null, createdAt: INSTANTS[0], deletedAt: null };
            return { kind: 'HAS_FIELD', ...ends, ...always };
          }),
        ],
      };
    });
}

const LABELS = ['Dataset', 'Job', 'Field'] as const;
const KINDS = ['dataset', 'job', 'field'] as const;

const ENDS = { FEEDS: ['dataset', 'job'], PRODUCES: ['job', 'dataset'], DERIVES: ['field', 'field'] } as const;

/** Urns of the nodes of a graph; every third is in the namespace beside. */
export function urnsIn(namespace: string) {
  const space = (index: number) => (index % 3 === 2 ? `${namespace}-beside` : namespace);
  return {
    dataset: (index: number): string => datasetUrn(space(index), `d${index}`),
    job: (index: number): string => formatUrn('job', [space(index), `j${index}`]),
    field: (index: number): string => formatUrn('field', [space(index), 'd', `f${index}`]),
  };
}

function intervalsBetween(list: readonly string[]): { from: string; to: string | null }[] {
  return list.flatMap((from, index) => (index % 2 === 0 ? [{ from, to: list[index + 1] ?? null }] : []));
}

/** Writes a graph as those who write lineage do. */
export async function writeLineage(graph: TestGraph, { nodes, edges }: ModelGraph): Promise<void> {
  await graph.query(
    `UNWIND $nodes AS row
     CREATE (n:Entity {urn: row.urn, name: row.urn, version: 1, deletedAt: datetime(row.deletedAt)})
     SET n.placeholder = CASE WHEN row.label IS NULL THEN true END, n:$(CASE WHEN row.label IS NULL THEN [] ELSE [row.label] END)`,
    { nodes },
  );
  for (const kind of ['FEEDS', 'PRODUCES', 'DERIVES', 'HAS_FIELD']) {
    await graph.query(
      `UNWIND $rows AS row
       MATCH (a:Entity {urn: row.from}) MATCH (b:Entity {urn: row.to})
       CREATE (a)-[r:${kind}]->(b)
       SET r = row.validity, r.via = row.via, r.version = 1,
         r.createdAt = datetime(row.createdAt), r.deletedAt = datetime(row.deletedAt)`,
      {
        rows: edges
          .filter((edge) => edge.kind === kind)
          .map((edge) => ({ ...edge, intervals: null, validity: validityOf(edge) })),
      },
    );
  }
}

function validityOf({ intervals }: ModelEdge): Record<string, unknown> {
  if (intervals === null) return {};
  return {
    validFrom: intervals.map(({ from }) => from),
    validTo: intervals.flatMap(({ to }) => to ?? []),
    current: intervals.at(-1)?.to === null,
    firstRuns: intervals.map((_, index) => `nucleus:run:first-${index}`),
    lastRuns: intervals.map((_, index) => `nucleus:run:last-${index}`),
  };
}
