import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captionOf, datasetUrn, datasetVersionUrn, runUrn } from '#graph-schema';
import { type OwnGraph, openOwnGraph } from '../support/graph.js';
import { openHttpApp } from '../support/http-app.js';
import { taken } from '../support/openlineage-events.js';
import { type Sample, sampleFolder, samplesIn } from '../support/openlineage-samples.js';
import { shownLineage, writeAfresh } from '../support/shown-lineage.js';
import { openOwnNamespace } from '../support/temporal.js';

let graph: OwnGraph;
let samples: readonly Sample[];

beforeAll(async () => {
  graph = await openOwnGraph();
  samples = samplesIn(sampleFolder());
});
afterAll(async () => {
  await graph?.[Symbol.asyncDispose]();
});

const eventsOf = (chosen: readonly Sample[]) => chosen.map(({ event }) => taken(event));

describe('the events of real clients and published suites', () => {
  it('give one graph in order, reversed, shuffled and doubled, in batches of any size', async () => {
    await writeAfresh(graph, eventsOf(samples), 50);
    const whole = await shownLineage(graph);
    expect(whole.nodes.length).toBeGreaterThan(300);
    expect(whole.edges.length).toBeGreaterThan(300);
    expect(whole.nodes.filter(({ properties }) => properties.placeholder !== undefined)).toEqual([]);
    await writeAfresh(graph, eventsOf(samples).reverse(), 33);
    expect(await shownLineage(graph)).toEqual(whole);
    const shuffled = samples.flatMap((_, index) => samples[(index * 37) % samples.length] ?? []);
    await writeAfresh(graph, eventsOf([...shuffled, ...samples]), 64);
    expect(await shownLineage(graph)).toEqual(whole);
  });

  it('name the run and the inputs behind each version of the apple pie', async () => {
    await writeAfresh(graph, eventsOf(samples.filter(({ name }) => name.includes('apples'))), 3);
    const behind = await graph.query(
      `MATCH (:Dataset {urn: $pie})-[:HAS_VERSION]->(v:DatasetVersion)<-[w:WROTE]-(r:Run) WHERE w.deletedAt IS NULL
       RETURN r.urn AS run, r.state AS state,
         COLLECT { MATCH (r)-[x:READ]->(i:DatasetVersion)<-[y:WROTE]-(by:Run) WHERE x.deletedAt IS NULL AND y.deletedAt IS NULL
                   RETURN i.dataset + ' by ' + by.name ORDER BY i.dataset } AS inputs
       ORDER BY v.writtenAt`,
      { pie: datasetUrn('grandmas.kitchen', 'apple.pie') },
    );
    expect(behind).toEqual([
      {
        run: runUrn('66ad484e-9bba-4eed-a5f5-3a17558e7f6b'),
        state: 'COMPLETE',
        inputs: ['apple.filling by ab468fb4-4654-4286-9679-59d13d185b19'],
      },
      {
        run: runUrn('bcef9942-cb5c-476a-995b-3e5ca14aff27'),
        state: 'COMPLETE',
        inputs: ['apple.filling by e7d71919-25b3-49cc-a0f5-63ecbee72b0f'],
      },
    ]);
  });

  it('name them to whoever asks by GraphQL, as well as all that a bad basket of apples has reached', async () => {
    await writeAfresh(graph, eventsOf(samples.filter(({ name }) => name.includes('apples'))), 3);
    await using temporal = await openOwnNamespace('apples');
    await using app = await openHttpApp(graph, { temporal: temporal.client });
    const asked = async (urn: string, direction: string) => {
      const { data, errors } = await app.graphql(
        `query ($urn: ID!, $direction: LineageDirection!) {
          runLineage(urn: $urn, direction: $direction, depth: null) {
            nodes { depth run { job state } version { dataset datasetVersion } } truncated { reason }
          }
        }`,
        { urn, direction },
      );
      expect(errors).toBeUndefined();
      expect(data.runLineage.truncated).toBeNull();
      return data.runLineage.nodes.map(({ depth, run, version }: AskedNode) => {
        const told =
          run === null ? [version?.dataset, version?.datasetVersion.slice(0, 'run-'.length + 8)] : [run.job, run.state];
        return [captionOf(told[0] ?? ''), told[1], depth].join(' ');
      });
    };
    expect(await asked(datasetUrn('grandmas.kitchen', 'apple.pie'), 'UPSTREAM')).toEqual([
      'apple.pie run-bcef9942 0',
      'prepare_apple_pie COMPLETE 1',
      'apple.filling run-e7d71919 1',
      'prepare_apple_filling COMPLETE 2',
      'apples run-155dbf08 2',
      'gather_apples COMPLETE 3',
    ]);
    const apples = datasetVersionUrn('grandmas.kitchen', 'apples', 'run-fc57cd10-90ce-49aa-ac91-29d222d66fdf');
    expect(await asked(apples, 'DOWNSTREAM')).toEqual([
      'apples run-fc57cd10 0',
      'prepare_apple_cider COMPLETE 1',
      'prepare_apple_filling COMPLETE 1',
      'apple.cider run-5f974ced 1',
      'apple.filling run-ab468fb4 1',
      'prepare_apple_pie COMPLETE 2',
      'prepare_vinegar COMPLETE 2',
      'apple.vinegar run-a1060004 2',
      'apple.pie run-66ad484e 2',
    ]);
  });
});

interface AskedNode {
  readonly depth: number;
  readonly run: { readonly job: string; readonly state: string } | null;
  readonly version: { readonly dataset: string; readonly datasetVersion: string } | null;
}
