import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointUrn, runUrn } from '#graph-schema';
import { all, type EntityUpsert } from '#graph-store';
import { encodePageCursor } from '../../graph-store/keyset-page.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('catalog');
const CONTEXT = { actor: PREFIX };

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const endpoint = (name: string): EntityUpsert => ({
  kind: 'MetadataEndpoint',
  urn: endpointUrn(`${PREFIX}-${name}`),
  name,
  properties: { id: `${PREFIX}-${name}`, templateId: 't', vendor: 'v', role: 'sink', config: '{}' },
});
const addEndpoints = (...names: string[]) => graph.store.write({ entities: names.map(endpoint) }, CONTEXT);
const deleteEndpoint = (name: string) =>
  graph.store.write({ deletions: [{ urn: endpointUrn(`${PREFIX}-${name}`) }] }, CONTEXT);

const run = (endpointId: string, id: string, startedAt: string | null): EntityUpsert => ({
  kind: 'IngestionRun',
  urn: runUrn(`${endpointId}-${id}`),
  name: id,
  properties: {
    id: `${endpointId}-${id}`,
    endpointId,
    unitId: 'u',
    sinkId: 's',
    state: 'SUCCEEDED',
    ...(startedAt === null ? {} : { startedAt: new Date(startedAt) }),
  },
});

describe('a list, page by page', () => {
  it('shows every row that stays exactly once, whatever is added and removed meanwhile', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'bb', 'cc'].map((name) => `${PREFIX}-${name}`);
    await addEndpoints('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const list = graph.catalog.endpoints({ ids });
    const names = (page: { rows: readonly { record: { name: string } }[] }) => page.rows.map((row) => row.record.name);

    const first = await list.page({ first: 2 });
    expect([names(first), first.hasNextPage]).toEqual([['a', 'b'], true]);
    // Before the cursor: seen already or too late to see. At the cursor: its row is gone. After it: still to come.
    await deleteEndpoint('a');
    await deleteEndpoint('b');
    await deleteEndpoint('e');
    await addEndpoints('bb', 'cc');
    const second = await list.page({ first: 3, after: first.rows.at(-1)?.cursor });
    expect([names(second), second.hasNextPage]).toEqual([['bb', 'c', 'cc'], true]);
    const third = await list.page({ first: 3, after: second.rows.at(-1)?.cursor });
    expect([names(third), third.hasNextPage]).toEqual([['d', 'f', 'g'], false]);
    expect(await list.count()).toBe(6);
  });

  it('knows that nothing follows a page that is exactly full, and an empty one', async () => {
    await addEndpoints('x1', 'x2');
    const list = graph.catalog.endpoints({ ids: [`${PREFIX}-x1`, `${PREFIX}-x2`] });
    const page = await list.page({ first: 2 });
    expect([page.rows.length, page.hasNextPage]).toEqual([2, false]);
    expect(await list.page({ first: 2, after: page.rows.at(-1)?.cursor })).toEqual({ rows: [], hasNextPage: false });
  });

  it('refuses a size that is none and a cursor that is not its own', async () => {
    const endpoints = graph.catalog.endpoints();
    const runs = graph.catalog.runs();
    const wrong = [
      { list: endpoints, request: { first: 0 }, field: 'first' },
      { list: endpoints, request: { first: 501 }, field: 'first' },
      { list: endpoints, request: { first: 5, after: 'nonsense' }, field: 'after' },
      {
        list: endpoints,
        request: { first: 5, after: encodePageCursor(['2026-01-01T00:00:00Z', 'u']) },
        field: 'after',
      },
      { list: runs, request: { first: 5, after: encodePageCursor(['nucleus:run:a']) }, field: 'after' },
      { list: runs, request: { first: 5, after: encodePageCursor(['no date', 'nucleus:run:a']) }, field: 'after' },
    ];
    for (const { list, request, field } of wrong) {
      await expect(list.page(request)).rejects.toMatchObject({ name: 'InputError', problems: [{ field }] });
    }
  });
});

describe('the list of runs', () => {
  it('shows the latest first, and runs of one instant in one order', async () => {
    const endpointId = `${PREFIX}-order`;
    await graph.store.write(
      {
        entities: [
          run(endpointId, 'old', '2026-01-01T00:00:00Z'),
          run(endpointId, 'tie-1', '2026-01-02T00:00:00Z'),
          run(endpointId, 'tie-3', '2026-01-02T00:00:00Z'),
          run(endpointId, 'new', '2026-01-03T00:00:00.001Z'),
          run(endpointId, 'tie-2', '2026-01-02T00:00:00Z'),
        ],
      },
      CONTEXT,
    );
    expect(await pagedIds(endpointId)).toEqual(['new', 'tie-3', 'tie-2', 'tie-1', 'old']);
  });

  it('loses no run when one has ended before it began', async () => {
    const endpointId = `${PREFIX}-never-began`;
    await graph.store.write(
      {
        entities: [
          run(endpointId, 'old', '2026-01-01T00:00:00Z'),
          run(endpointId, 'later', '2999-01-01T00:00:00Z'),
          run(endpointId, 'never-1', null),
          run(endpointId, 'never-2', null),
        ],
      },
      CONTEXT,
    );
    // Such a run stands where it was recorded.
    expect(await pagedIds(endpointId)).toEqual(['later', 'never-2', 'never-1', 'old']);
  });

  /** The runs of an endpoint by the smallest pages, without the prefix of their ids. */
  async function pagedIds(endpointId: string): Promise<string[]> {
    const ids: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await graph.catalog.runs({ endpointId }).page({ first: 1, after });
      ids.push(...page.rows.map((row) => row.record.id.slice(endpointId.length + 1)));
      if (!page.hasNextPage) return ids;
      after = page.rows.at(-1)?.cursor;
    }
  }
});

describe('all rows of a list', () => {
  it('are read over the border of a page', async () => {
    const endpointId = `${PREFIX}-many`;
    const entities = Array.from({ length: 501 }, (_, index) =>
      run(endpointId, String(index), new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString()),
    );
    await graph.store.write({ entities }, CONTEXT);
    const runs = await all(graph.catalog.runs({ endpointId }));
    expect(runs.map((record) => record.id.slice(endpointId.length + 1))).toEqual(
      entities.map((entity) => entity.name).reverse(),
    );
  });
});
