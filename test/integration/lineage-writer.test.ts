import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Neo4jLineageStore } from '#graph-store';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { meetingEdits } from '../support/lineage-edits.js';
import { MemoryLineage } from '../support/memory-lineage.js';
import { meetingEvents, runEvent, taken } from '../support/openlineage-events.js';
import { shownLineage, writeAfresh } from '../support/shown-lineage.js';

let graph: OwnGraph;

beforeAll(async () => {
  graph = await openOwnGraph();
});
afterAll(async () => {
  await graph?.[Symbol.asyncDispose]();
});

describe('the graph', () => {
  it('shows of events what the model of it does, whatever their order and however they are cut', async () => {
    const events = [
      ...fc.sample(meetingEvents.map(taken), { numRuns: 30, seed: 20_260_101 }),
      ...fc.sample(meetingEdits, { numRuns: 10, seed: 20_260_101 }),
    ];
    await writeAfresh(graph, events, 40);
    const whole = await shownLineage(graph);
    const model = new MemoryLineage();
    await new LineageEventWriter(model).write(events, { inboxId: 'test', after: 0, upTo: 40, fence: 1 });
    const { nodes, edges } = model.shown();
    expect(whole.nodes.map(({ urn }) => urn)).toEqual(Object.keys(nodes));
    expect(whole.edges.map(({ from, kind, to }) => `${kind} ${from} ${to}`).sort()).toEqual(Object.keys(edges));
    for (const { from, kind, to, properties } of whole.edges) {
      expect(properties).toMatchObject(edges[`${kind} ${from} ${to}`] ?? {});
    }
    await writeAfresh(graph, [...events].reverse(), 10);
    expect(await shownLineage(graph)).toEqual(whole);
  });

  it('takes events once: a write that goes on from elsewhere, or under an older lease, is refused', async () => {
    const writer = new LineageEventWriter(new Neo4jLineageStore(graph.driver));
    const event = taken(runEvent());
    await writer.write([event], { inboxId: 'once', after: 0, upTo: 1, fence: 2 });
    expect(await writer.position('once')).toBe(1);
    const before = await graph.log.head();
    await expect(writer.write([event], { inboxId: 'once', after: 0, upTo: 1, fence: 2 })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(writer.write([event], { inboxId: 'once', after: 1, upTo: 2, fence: 1 })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await writer.write([event], { inboxId: 'once', after: 1, upTo: 2, fence: 2 })).toBeNull();
    expect(await writer.position('once')).toBe(2);
    expect(await graph.log.head()).toBe(before);
  });

  it('is told to take less at a time when events make too much at once, and takes one event of any size', async () => {
    const writer = new LineageEventWriter(new Neo4jLineageStore(graph.driver));
    const fields = Array.from({ length: 11_000 }, (_, index) => ({ name: `c${index}` }));
    const wide = (name: string) =>
      taken(runEvent({ inputs: [], outputs: [{ namespace: 'wide', name, facets: { schema: { fields } } }] }));
    await expect(
      writer.write([wide('a'), wide('b')], { inboxId: 'wide', after: 0, upTo: 2, fence: 1 }),
    ).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(await writer.position('wide')).toBe(0);
    await writer.write([wide('a')], { inboxId: 'wide', after: 0, upTo: 1, fence: 1 });
    expect(
      await graph.query("MATCH (:Dataset {namespace: 'wide'})-[:HAS_FIELD]->(f) RETURN count(f) AS fields"),
    ).toEqual([{ fields: 11_000 }]);
  });
});
