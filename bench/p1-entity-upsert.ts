import type { EntityUpsert } from '#graph-store';
import { bareProperties, CONTEXT, datasets, type GraphBench, inBatches, openGraph, ROWS } from './graph-rows.js';
import { defineBenchmark, type RatioCase, type Round } from './harness/index.js';

const BARE_MERGE = `
UNWIND $rows AS row
MERGE (n:Entity {urn: row.urn})
SET n += row.properties, n:Dataset`;

const bareRows = (entities: readonly EntityUpsert[]) =>
  entities.map(({ urn, name, properties }) => ({
    urn,
    properties: bareProperties({ name: name ?? null, ...properties }),
  }));

type Rows = EntityUpsert[];

/** @param prepare what is in the graph before, and what is written while the clock runs */
function upsert(
  name: string,
  atLeast: number,
  prepare: (namespace: string, count: number) => { before: Rows; timed: Rows },
): RatioCase<GraphBench> {
  const side =
    (of: string, write: (env: GraphBench, rows: Rows) => () => Promise<void>) => async (round: Round<GraphBench>) => {
      const count = round.quick ? ROWS.quick : ROWS.full;
      const { before, timed } = prepare(`${of}-${name.replace(' ', '-')}-${round.number}`, count);
      await write(round.env, before)();
      return round.time(count, write(round.env, timed));
    };
  return {
    kind: 'ratio',
    name,
    unit: 'rows',
    target: { atLeast },
    sides: {
      ours: side('ours', ({ store }, rows) => async () => {
        for (const entities of inBatches(rows)) await store.write({ entities }, CONTEXT);
      }),
      baseline: side('bare', ({ driver }, rows) => {
        const batches = inBatches(bareRows(rows));
        return async () => {
          for (const batch of batches) await driver.executeQuery(BARE_MERGE, { rows: batch });
        };
      }),
    },
  };
}

export const benchmark = defineBenchmark<GraphBench>({
  id: 'P1',
  name: 'entity-upsert',
  what: 'Upsert of entities with nine properties through the graph store, in comparison with a bare UNWIND … MERGE of the same rows.',
  setUp: openGraph,
  cases: [
    upsert('fresh', 0.65, (namespace, count) => ({ before: [], timed: datasets(namespace, count) })),
    upsert('all changed', 0.5, (namespace, count) => ({
      before: datasets(namespace, count),
      timed: datasets(namespace, count, 2),
    })),
    upsert('unchanged', 1.2, (namespace, count) => ({
      before: datasets(namespace, count),
      timed: datasets(namespace, count),
    })),
  ],
});
