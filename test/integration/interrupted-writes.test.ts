import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import neo4j from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Neo4jChangeLog } from '#graph-store';
import { testEnvironment } from '../support/environment.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { manyDatasets } from '../support/many-datasets.js';
import { uniquePrefix } from '../support/unique.js';

const WRITER = fileURLToPath(new URL('../support/graph-writer.ts', import.meta.url));
const ROWS = 1_000;
const WAIT = { timeout: 50_000, interval: 20 };

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

/** While it runs, a writer has written all but its record of the change, for which it waits. */
async function whileCounterIsHeld(work: () => Promise<void>): Promise<void> {
  const session = graph.driver.session();
  try {
    const tx = session.beginTransaction();
    await tx.run("MATCH (l:ChangeLog {id: 'main'}) SET l.lockedBy = 'a test'");
    await work();
    await tx.rollback();
  } finally {
    await session.close();
  }
}

const transactionsOf = (actor: string) =>
  graph.query(
    `SHOW TRANSACTIONS YIELD transactionId AS id, parameters, currentQuery
     WHERE currentQuery STARTS WITH '\\nCREATE (c:Change' AND parameters.actor = $actor RETURN id`,
    { actor },
  );

async function found(actor: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await graph.query(
    `RETURN COUNT { (n:Entity) WHERE n.urn STARTS WITH $prefix } AS nodes,
            COUNT { (a:Entity)-[:DERIVES]->() WHERE a.urn STARTS WITH $prefix } AS edges,
            COUNT { (c:Change {actor: $actor}) } AS changes`,
    { prefix: `nucleus:dataset:${actor}:`, actor },
  );
  return row;
}

const NOTHING = { nodes: 0, edges: 0, changes: 0 };
const EVERYTHING = { nodes: ROWS, edges: ROWS - 1, changes: 1 };

describe('a write that is broken off when it has all but its record', () => {
  it('leaves nothing behind when its transaction is ended, and can be repeated', async () => {
    const actor = uniquePrefix('ended');
    const batch = manyDatasets(actor, ROWS);
    let writing: Promise<unknown> | undefined;
    await whileCounterIsHeld(async () => {
      writing = expect(graph.store.write(batch, { actor })).rejects.toThrow();
      const [waiting] = await vi.waitUntil(async () => {
        const transactions = await transactionsOf(actor);
        return transactions.length > 0 && transactions;
      }, WAIT);
      await graph.query('TERMINATE TRANSACTIONS $id', { id: waiting?.id });
    });
    await writing;
    expect(await found(actor)).toEqual(NOTHING);
    expect(await graph.store.write(batch, { actor })).toMatchObject({ transactions: 1 });
    expect(await found(actor)).toEqual(EVERYTHING);
  });

  it('leaves nothing behind when its process is killed, and can be repeated', async () => {
    const actor = uniquePrefix('killed');
    await whileCounterIsHeld(async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', WRITER, actor, String(ROWS)], { stdio: 'inherit' });
      const exit = once(child, 'exit');
      await vi.waitUntil(async () => (await transactionsOf(actor)).length > 0, WAIT);
      child.kill('SIGKILL');
      await exit;
    });
    // With the lock the server goes on, and finds that nobody is there to commit.
    await vi.waitUntil(async () => (await transactionsOf(actor)).length === 0, WAIT);
    expect(await found(actor)).toEqual(NOTHING);
    await graph.store.write(manyDatasets(actor, ROWS), { actor });
    expect(await found(actor)).toEqual(EVERYTHING);
  });
});

describe('a transaction for which no connection is left', () => {
  it('is refused with an error that says to try again', async () => {
    const { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD } = testEnvironment();
    await using driver = neo4j.driver(NEO4J_URI, neo4j.auth.basic(NEO4J_USER, NEO4J_PASSWORD), {
      disableLosslessIntegers: true,
      maxConnectionPoolSize: 1,
      connectionAcquisitionTimeout: 200,
    });
    const only = driver.session();
    await only.run('RETURN 1');
    const tx = await only.beginTransaction();
    await expect(new Neo4jChangeLog(driver).head()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('all connections'),
    });
    await tx.rollback();
    await only.close();
    expect(await new Neo4jChangeLog(driver).head()).toBeGreaterThan(0);
  });
});
