import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRAPH_SCHEMA_VERSION, MIGRATIONS } from '#graph-schema';
import { migrateGraph, Neo4jChangeLog, Neo4jGraphStore, openDriver } from '#graph-store';
import { type OwnNeo4j, startOwnNeo4j } from '../support/graph.js';

// A server of its own: only a fresh graph has nothing applied, and only here may the version be changed.
let neo4j: OwnNeo4j;
let driver: ReturnType<typeof openDriver>;
beforeAll(async () => {
  neo4j = await startOwnNeo4j();
  driver = openDriver(neo4j);
});
afterAll(async () => {
  await driver?.close();
  await neo4j?.[Symbol.asyncDispose]();
});

const ALL_VERSIONS = MIGRATIONS.map((migration) => migration.version);

/** Names of all constraints and indexes; a constraint has an index of its name. */
async function schemaNames(): Promise<string[]> {
  const { records } = await driver.executeQuery('SHOW INDEXES YIELD name');
  return records.map((record) => String(record.get('name')));
}

describe('the migrations of a graph', () => {
  it('must have run before anything is written', async () => {
    await expect(new Neo4jChangeLog(driver).head()).rejects.toThrow('run its migrations');
  });

  it('are applied once when several processes start together', async () => {
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrateGraph(driver)));
    expect(applied.filter((versions) => versions.length > 0)).toEqual([ALL_VERSIONS]);
    const names = MIGRATIONS.flatMap(({ statements }) =>
      statements.flatMap((statement) => /CREATE (?:CONSTRAINT|INDEX) (\w+)/.exec(statement)?.[1] ?? []),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(await schemaNames()).toEqual(expect.arrayContaining(names));
    expect(await new Neo4jChangeLog(driver).head()).toBe(0);
  });

  it('leave a graph alone that has them, with its data', async () => {
    const entity = { kind: 'Dataset' as const, urn: 'nucleus:dataset:a:b', name: 'b' };
    expect(await new Neo4jGraphStore(driver).upsertEntity(entity, { actor: 'test' })).toMatchObject({ sequence: 1 });
    expect(await migrateGraph(driver)).toEqual([]);
    expect(await new Neo4jChangeLog(driver).head()).toBe(1);
  });

  it('take up where a crash between the steps and the version has left off', async () => {
    await driver.executeQuery("MATCH (s:SchemaVersion {id: 'main'}) SET s.version = 0");
    expect(await migrateGraph(driver)).toEqual(ALL_VERSIONS);
    expect(await new Neo4jChangeLog(driver).head()).toBe(1);
  });

  it('refuse a graph of a newer build', async () => {
    const newer = GRAPH_SCHEMA_VERSION + 1;
    await driver.executeQuery(`MATCH (s:SchemaVersion {id: 'main'}) SET s.version = ${newer}`);
    await expect(migrateGraph(driver)).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { present: newer, known: GRAPH_SCHEMA_VERSION },
    });
  });
});
