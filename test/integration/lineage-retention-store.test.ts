import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { datasetVersionUrn, runUrn } from '#graph-schema';
import { type LineageStore, migrateGraph, Neo4jLineageStore } from '#graph-store';
import { LineageEventWriter, LineageRetention, type RetentionRule } from '../../ingestion/lineage-projection/index.js';
import type { InboxEntry } from '../../ingestion/openlineage/index.js';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { meetingEdits } from '../support/lineage-edits.js';
import { beforeMinute, retain } from '../support/lineage-retention.js';
import { MemoryLineage } from '../support/memory-lineage.js';
import { meetingEvents, minute, runEvent, taken } from '../support/openlineage-events.js';
import { shownLineage } from '../support/shown-lineage.js';

let graph: OwnGraph;
let store: Neo4jLineageStore;
beforeAll(async () => {
  graph = await openOwnGraph();
  store = new Neo4jLineageStore(graph.driver);
});
afterAll(async () => {
  await graph?.[Symbol.asyncDispose]();
});

let position: number;
beforeEach(async () => {
  await graph.query('MATCH (n:Entity|LineageRecord|LineageInbox) DETACH DELETE n');
  position = 0;
});

async function write(to: LineageStore, events: readonly InboxEntry[]): Promise<void> {
  const cursor = { inboxId: 'test', after: position, upTo: position + events.length, fence: 1 };
  await new LineageEventWriter(to).write(events, cursor);
}

const named = (name: string) => ({ namespace: 'd', name });

function runAt(at: number, run: string, members: object = {}): InboxEntry {
  return taken(runEvent({ eventTime: minute(at), run: { runId: run }, inputs: [], outputs: [], ...members }));
}

const there = async (label: string) =>
  (await graph.query(`MATCH (n:${label}) RETURN n.urn AS urn ORDER BY urn`)).map(({ urn }) => urn);

describe('the graph', () => {
  it('shows after events and retention, in whatever mixture, what the model of it does', async () => {
    const sample = <T>(values: fc.Arbitrary<T>, numRuns: number) => fc.sample(values, { numRuns, seed: 20_260_102 });
    const events = [...sample(meetingEvents.map(taken), 40), ...sample(meetingEdits, 8)];
    const model = new MemoryLineage();
    const rules: RetentionRule[] = [4, 7, 13].map((at, index) => beforeMinute(at, { keepRunsPerJob: index % 2 }));
    for (const [index, rule] of rules.entries()) {
      const batch = events.filter((_, place) => place % rules.length === index);
      for (const to of [store, model]) await write(to, batch);
      position += batch.length;
      const { sequence: _, ...dry } = await retain(store, rule, true);
      const counted = await retain(model, rule);
      expect(dry).toMatchObject({ runs: counted.runs, versions: counted.versions });
      expect(await retain(store, rule)).toMatchObject(dry);
    }
    const { nodes, edges } = model.shown();
    const shown = await shownLineage(graph);
    expect(shown.nodes.map(({ urn }) => urn)).toEqual(Object.keys(nodes));
    expect(shown.edges.map(({ from, kind, to }) => `${kind} ${from} ${to}`).sort()).toEqual(Object.keys(edges));
    for (const { from, kind, to, properties } of shown.edges) {
      expect(properties).toMatchObject(edges[`${kind} ${from} ${to}`] ?? {});
    }
  });

  it('keeps the records of no more than it shows, and of what others need', async () => {
    const runs = Array.from({ length: 120 }, (_, n) =>
      runAt(n, `r${n}`, { inputs: [named('s')], outputs: [named('t')] }),
    );
    await write(store, runs);
    expect(await retain(store, beforeMinute(110))).toMatchObject({ runs: 110, versions: 110, isComplete: true });
    const rows = await graph.query(
      "MATCH (r:LineageRecord) RETURN split(r.key, ' ')[0] AS kind, count(r) AS records ORDER BY kind",
    );
    expect(Object.fromEntries(rows.map(({ kind, records }) => [kind, records]))).toMatchObject({
      ...{ assertion: 120, run: 120, version: 10 },
      // Ten runs with an input and an output, and what the others have written.
      use: 130,
    });
    expect(await there('Run')).toHaveLength(10);
    expect(await there('DatasetVersion')).toHaveLength(10);
  });

  it('loses no run of Nucleus itself, by whatever name events call it', async () => {
    await write(store, [runAt(1, 'own'), runAt(1, 'other')]);
    await graph.query('MATCH (n:Run {urn: $urn}) SET n:IngestionRun', { urn: runUrn('own') });
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 1 });
    expect(await there('Run')).toEqual([runUrn('own')]);
  });

  it('keeps versions of which no event has told, and those that are written by runs of Nucleus', async () => {
    await write(store, [runAt(1, 'a', { outputs: [named('t')] }), runAt(2, 'b', { outputs: [named('t')] })]);
    const urn = datasetVersionUrn('d', 't', 'by-hand');
    const properties = { namespace: 'd', dataset: 't', datasetVersion: 'by-hand', writtenAt: new Date(0) };
    await graph.store.upsertEntity({ kind: 'DatasetVersion', urn, properties }, { actor: 'test' });
    await graph.query(
      `MATCH (v:Entity {urn: $urn})
       CREATE (:Entity:Run:IngestionRun {urn: 'nucleus:run:own', version: 1})-[:WROTE {version: 1}]->(v)`,
      { urn: datasetVersionUrn('d', 't', 'run-a') },
    );
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 1, versions: 0 });
    expect(await there('DatasetVersion')).toHaveLength(3);
  });

  it('is whole after every step, and another pass goes on where one has ended', async () => {
    const runs = Array.from({ length: 230 }, (_, n) => runAt(1, `r${n}`, { outputs: [named(`t${n % 5}`)] }));
    const last = Array.from({ length: 5 }, (_, n) => runAt(9, `last${n}`, { outputs: [named(`t${n}`)] }));
    await write(store, [...runs, ...last]);
    const before = (await shownLineage(graph)).edges.filter(({ kind }) => kind === 'PRODUCES');
    const rule = beforeMinute(2);
    const seen: object[] = [];
    for (let isComplete = false; !isComplete; ) {
      const stop = new AbortController();
      const options = { isDryRun: false, signal: stop.signal, onStep: () => stop.abort() };
      // Each pass ends after its first step, as that of a killed server does.
      const report = await new LineageRetention(store).apply(rule, options, { actor: 'test' });
      isComplete = report.runs === 0;
      seen.push(report);
      const [row] = await graph.query(
        `MATCH (r:Run) WHERE NOT EXISTS { (:Job)-[:HAS_RUN]->(r) } OR NOT EXISTS { (r)-[:WROTE]->(:DatasetVersion) }
         RETURN count(r) AS halves`,
      );
      expect(row).toEqual({ halves: 0 });
    }
    expect(seen).toMatchObject([{ runs: 100 }, { runs: 100 }, { runs: 30 }, { runs: 0 }]);
    expect(await retain(store, rule)).toMatchObject({ runs: 0, versions: 230, isComplete: true });
    const after = (await shownLineage(graph)).edges.filter(({ kind }) => kind === 'PRODUCES');
    expect(after).toEqual(before);
  });

  it('is retained and written at one time without one undoing the other', async () => {
    const old = Array.from({ length: 200 }, (_, n) => runAt(1, `old${n}`, { outputs: [named('t')] }));
    await write(store, old);
    position += old.length;
    const writing = (async () => {
      // Late events of the runs that are being removed, and new ones.
      for (let n = 0; n < 20; n += 1) {
        const events = [0, 1, 2].map((part) => runAt(2, `old${n * 3 + part}`, { inputs: [named('s')] }));
        await write(store, [...events, runAt(30 + n, `new${n}`, { outputs: [named('t')] })]);
        position += 4;
      }
    })();
    const passes = Promise.all([retain(store, beforeMinute(10)), retain(store, beforeMinute(10))]);
    await Promise.all([writing, passes]);
    await retain(store, beforeMinute(10));
    const runs = await there('Run');
    expect(runs).toEqual(Array.from({ length: 20 }, (_, n) => runUrn(`new${n}`)).sort());
    expect(await there('DatasetVersion')).toHaveLength(20);
    expect(await graph.query('MATCH (n:Entity) WHERE n.placeholder RETURN n.urn')).toEqual([]);
    expect(await store.position('test')).toBe(position);
  });

  it('finds the runs of a graph from before retention', async () => {
    const facets = { odd: { text: '"outcome":{"last":"2020"}' } };
    await write(store, [runAt(1, 'a', { run: { runId: 'a', facets } }), runAt(4, 'b', { eventType: 'START' })]);
    const placed = () =>
      graph.query("MATCH (r:LineageRecord) WHERE r.key STARTS WITH 'run ' RETURN r { .* } AS record ORDER BY r.key");
    const before = await placed();
    await graph.query("MATCH (r:LineageRecord) WHERE r.key STARTS WITH 'run ' REMOVE r.series, r.first, r.last");
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 0 });
    await graph.query('MATCH (s:SchemaVersion) SET s.version = 5');
    await migrateGraph(graph.driver);
    expect(await placed()).toEqual(before);
    expect(await retain(store, beforeMinute(3))).toMatchObject({ runs: 1 });
    await graph.query('MATCH (s:SchemaVersion) SET s.version = 5');
    await migrateGraph(graph.driver);
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 1 });
  });
});
