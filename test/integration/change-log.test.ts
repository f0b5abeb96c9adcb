import neo4j, { type ManagedTransaction } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn, READ_CHANGES_BY_ID } from '#graph-schema';
import { entityHistory, Neo4jChangeLog, Neo4jGraphStore } from '#graph-store';
import { redactPurged } from '../../graph-store/purge-redaction.js';
import { openOwnGraph, type TestGraph } from '../support/graph.js';

// A graph of its own: retention takes away what is oldest in the whole log.
let graph: TestGraph;
beforeAll(async () => {
  graph = await openOwnGraph();
});
afterAll(() => graph?.[Symbol.asyncDispose]());

const CONTEXT = { actor: 'retention' };
const urn = datasetUrn('retention', 'a');
const day = (number: number) => new Date(Date.UTC(2026, 0, number));
const head = () => graph.log.head();

describe('the retention of the change log', () => {
  it('takes away the oldest changes, and tells a reader who comes too late', async () => {
    expect(await graph.log.oldest()).toBe(1);
    for (let number = 1; number <= 5; number += 1) {
      const store = new Neo4jGraphStore(graph.driver, { now: () => day(number) });
      await store.upsertEntity({ kind: 'Dataset', urn, name: 'a', properties: { number } }, CONTEXT);
    }
    expect(await graph.log.prune(day(3))).toBe(2);
    expect(await graph.log.oldest()).toBe(3);
    for (const after of [0, 1]) {
      await expect(graph.log.read({ after, upTo: await head(), limit: 10 })).rejects.toMatchObject({
        code: 'CURSOR_EXPIRED',
        details: { oldest: 3 },
      });
    }
    const rest = await graph.log.read({ after: 2, upTo: await head(), limit: 10 });
    expect(rest.map((change) => change.sequence)).toEqual([3, 4, 5]);
    const history = await graph.log.history(urn, { limit: 10 });
    expect(history.map(({ item }) => item.version)).toEqual([5, 4, 3]);
  });

  it('keeps the latest change, however old it is', async () => {
    expect(await graph.log.prune(new Date())).toBe(2);
    expect(await graph.log.oldest()).toBe(await head());
    expect(await graph.log.read({ after: await head(), upTo: await head(), limit: 10 })).toEqual([]);
    expect(await graph.log.prune(new Date())).toBe(0);
  });

  it('forgets requests after their window', async () => {
    const request = { entities: [{ kind: 'Dataset', urn, name: 'b' }] } as const;
    const options = { idempotencyKey: 'forgotten' };
    const { sequence } = await graph.store.write(request, CONTEXT, options);
    await graph.log.prune(day(1));
    expect(await graph.store.write(request, CONTEXT, options)).toMatchObject({ replayed: true, sequence });
    const inTwoDays = () => new Date(Date.now() + 2 * 86_400_000);
    await new Neo4jChangeLog(graph.driver, { now: inTwoDays }).prune(day(1));
    expect(await graph.store.write(request, CONTEXT, options)).toMatchObject({ replayed: false, sequence: null });
  });
});

describe('the head of the change log', () => {
  const count = (by: number) =>
    graph.query("MATCH (l:ChangeLog {id: 'main'}) SET l.sequence = l.sequence + $by", { by: neo4j.int(by) });

  it('is the last change that can be read, which retention keeps, where the counter says more', async () => {
    const last = await head();
    await count(1);
    await graph.log.prune(new Date());
    expect(await head()).toBe(last);
    expect(await graph.log.read({ after: last - 1, upTo: last, limit: 10 })).toMatchObject([{ sequence: last }]);
    await count(-1);
    expect(await head()).toBe(last);
  });

  it('is waited for while a commit is seen in part', async () => {
    const last = await head();
    await count(1);
    const asked = head();
    await graph.query("CREATE (:Change {id: 'late', sequence: $sequence, at: datetime(), items: '[]'})", {
      sequence: neo4j.int(last + 1),
    });
    expect(await asked).toBe(last + 1);
  });
});

describe('a page of the change log', () => {
  it('ends early when its changes are large, and always holds one', async () => {
    const start = await head();
    const text = 'x'.repeat(5 * 1024 * 1024);
    for (const name of ['l', 'm', 'n']) {
      const entity = { kind: 'Dataset', urn: datasetUrn('retention', name), name, properties: { text } } as const;
      await graph.store.upsertEntity(entity, CONTEXT);
    }
    const first = await graph.log.read({ after: start, upTo: await head(), limit: 10 });
    expect(first.map((change) => change.sequence)).toEqual([start + 1, start + 2]);
    const second = await graph.log.read({ after: start + 2, upTo: await head(), limit: 10 });
    expect(second.map((change) => change.sequence)).toEqual([start + 3]);
  });
});

describe('what is large', () => {
  const LARGE = 5 * 1024 * 1024;
  const writeLarge = (name: string, value: string) => {
    const properties = { text: value.repeat(LARGE) };
    return graph.store.upsertEntity({ kind: 'Dataset', urn: datasetUrn('large', name), name, properties }, CONTEXT);
  };

  it('makes the pages of a history short, which loses no entry', async () => {
    for (const value of ['a', 'b', 'c']) await writeLarge('history', value);
    const urn = datasetUrn('large', 'history');
    expect(await graph.log.history(urn, { limit: 10 })).toHaveLength(1);
    const pages: unknown[] = [];
    const history = entityHistory(graph.log, graph.knowledge.kinds, urn);
    let [after, more]: [string | undefined, boolean] = [undefined, true];
    while (more) {
      const { rows, hasNextPage } = await history.page({ first: 10, after });
      pages.push(rows.map(({ record }) => record.item.version));
      [after, more] = [rows.at(-1)?.cursor, hasNextPage];
    }
    expect(pages).toEqual([[3], [2], [1]]);
  });

  it('is taken out of the log a few changes at a time', async () => {
    const names = ['p', 'q', 'r', 's'];
    for (const name of names) await writeLarge(name, name);
    const urns = names.map((name) => datasetUrn('large', name));
    const session = graph.driver.session();
    const slices: number[] = [];
    await session
      .executeWrite((tx) => {
        const recording: Pick<ManagedTransaction, 'run'> = {
          run: (text: string, parameters?: { ids?: string[] }) => {
            if (text === READ_CHANGES_BY_ID) slices.push(parameters?.ids?.length ?? 0);
            return tx.run(text, parameters);
          },
        };
        return redactPurged(recording as ManagedTransaction, urns, 'test');
      })
      .finally(() => session.close());
    expect(slices).toEqual([2, 2]);
    for (const urn of urns) {
      expect(await graph.log.history(urn, { limit: 1 })).toMatchObject([{ item: { before: {}, after: {} } }]);
    }
  });
});
