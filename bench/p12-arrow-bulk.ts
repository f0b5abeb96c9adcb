import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type { EntityUpsert } from '#graph-store';
import { type ApiServer, openApiServer } from './api-server.js';
import { datasets, ROWS } from './graph-rows.js';
import { defineBenchmark, type RatioCase, type Round } from './harness/index.js';
import { GRAPHQL_ROWS, graphqlBodies, send } from './upsert-request.js';

type Rows = readonly EntityUpsert[];

function arrowBody(rows: Rows): Uint8Array<ArrayBuffer> {
  const column = (name: string) => rows.map(({ properties }) => properties?.[name]);
  const numbers = (name: string) => Float64Array.from(column(name) as number[]);
  const table = tableFromArrays({
    urn: rows.map(({ urn }) => urn),
    description: column('description'),
    type: column('type'),
    format: column('format'),
    rowCount: numbers('rowCount'),
    sizeBytes: numbers('sizeBytes'),
    externalUrl: column('externalUrl'),
  });
  return new Uint8Array(tableToIPC(table, 'stream'));
}

/** @param editions of the same rows, written one after the other; the last one is timed */
function upsert(what: string, editions: readonly [number, ...number[]], perRequest: number): RatioCase<ApiServer> {
  const name = `${what}, ÷ mutations of ${perRequest.toLocaleString('en-US')}`;
  const rowsOf = (side: string, round: Round<ApiServer>) => {
    const count = round.quick ? ROWS.quick : ROWS.full;
    return editions.map((edition) =>
      datasets(`${side}-${what.replace(' ', '-')}-${perRequest}-${round.number}`, count, edition),
    );
  };
  const side = (of: string, prepare: (env: ApiServer, rows: Rows) => () => Promise<unknown>) => {
    return async (round: Round<ApiServer>) => {
      const steps = rowsOf(of, round).map((rows) => ({ count: rows.length, write: prepare(round.env, rows) }));
      const timed = steps.pop();
      for (const { write } of steps) await write();
      return round.time(timed?.count ?? 0, async () => timed?.write());
    };
  };
  return {
    kind: 'ratio',
    name,
    unit: 'rows',
    target: { atLeast: 2 },
    sides: {
      ours: side('arrow', ({ url }, rows) => {
        const body = arrowBody(rows);
        return () => send(`${url}/api/v1/bulk?kind=Dataset`, body, 'application/vnd.apache.arrow.stream');
      }),
      baseline: side('graphql', ({ url }, rows) => {
        const bodies = graphqlBodies(rows, perRequest);
        return async () => {
          for (const body of bodies) await send(`${url}/graphql`, body, 'application/json');
        };
      }),
    },
  };
}

export const benchmark = defineBenchmark<ApiServer>({
  id: 'P12',
  name: 'arrow-bulk',
  what: 'Upsert of entities with six properties as one Arrow stream, in comparison with GraphQL mutations of 100 and of 1,000 rows each, one after the other.',
  setUp: (environment) => openApiServer(environment),
  cases: [
    upsert('fresh', [1], GRAPHQL_ROWS.usual),
    upsert('all changed', [1, 2], GRAPHQL_ROWS.usual),
    upsert('unchanged', [1, 1], GRAPHQL_ROWS.usual),
    upsert('fresh', [1], GRAPHQL_ROWS.most),
    upsert('all changed', [1, 2], GRAPHQL_ROWS.most),
    upsert('unchanged', [1, 1], GRAPHQL_ROWS.most),
  ],
});
