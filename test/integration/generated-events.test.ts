import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { datasetUrn, formatUrn } from '#graph-schema';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const PREFIX = uniquePrefix('generated');

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('generated')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await temporal?.[Symbol.asyncDispose]();
  await graph?.[Symbol.asyncDispose]();
});

const FIELDS = {
  datasetCreated: 'event createdDataset { urn name description version createdAt }',
  datasetUpdated: 'event updatedDataset { urn description } previousState { description }',
  datasetDeleted: 'event deletedDataset { urn name }',
  jobCreated: 'event createdJob { urn }',
} as const;

/** Subscribes to one generated field, runs `act` until it has had an effect, and answers the first event. */
async function firstEvent(field: keyof typeof FIELDS, name: string, act: (attempt: number) => Promise<unknown>) {
  const client = createClient({ url: app.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const where = `where: { name: { startsWith: "${name}" } }`;
  const events = client.iterate<Record<string, Record<string, unknown>>>({
    query: `subscription { ${field}(${where}) { ${FIELDS[field]} } }`,
  });
  const first = events.next();
  let told = false;
  const done = first.finally(() => {
    told = true;
  });
  // These subscriptions do not say when they have begun, so what they are to see happens again until they do.
  for (let attempt = 0; !told && attempt < 100; attempt += 1) {
    await act(attempt);
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  const { value } = await done;
  await client.dispose();
  expect(value?.errors).toBeUndefined();
  return value?.data?.[field];
}

const write = (name: string, description: string) =>
  graph.store.upsertEntity(
    { kind: 'Dataset', urn: datasetUrn(PREFIX, name), name, properties: { description } },
    { actor: PREFIX },
  );

describe('a generated subscription', () => {
  it('tells of what is created, as a whole', async () => {
    const name = `${PREFIX}-new`;
    const event = await firstEvent('datasetCreated', name, (attempt) => write(`${name}-${attempt}`, 'fresh'));
    expect(event).toMatchObject({ event: 'CREATE', createdDataset: { description: 'fresh', version: 1 } });
    expect(event?.createdDataset).toMatchObject({ createdAt: expect.stringMatching(/T.*Z$/) });
  });

  it('tells of what is changed, with what it was before', async () => {
    const name = `${PREFIX}-changed`;
    await write(name, 'at first');
    const event = await firstEvent('datasetUpdated', name, (attempt) => write(name, `edition ${attempt}`));
    expect(event).toMatchObject({
      event: 'UPDATE',
      updatedDataset: { urn: datasetUrn(PREFIX, name), description: expect.stringMatching(/^edition \d+$/) },
      previousState: { description: expect.stringMatching(/^(at first|edition \d+)$/) },
    });
  });

  it('tells of what is deleted', async () => {
    const name = `${PREFIX}-deleted`;
    const event = await firstEvent('datasetDeleted', name, async (attempt) => {
      await write(`${name}-${attempt}`, 'short-lived');
      await graph.store.write({ deletions: [{ urn: datasetUrn(PREFIX, `${name}-${attempt}`) }] }, { actor: PREFIX });
    });
    expect(event).toMatchObject({ event: 'DELETE', deletedDataset: { name: expect.stringContaining(name) } });
  });

  it('of jobs tells of ingestion units, which are jobs', async () => {
    const name = `${PREFIX}-unit`;
    const event = await firstEvent('jobCreated', name, (attempt) =>
      graph.store.upsertEntity(
        { kind: 'IngestionUnit', urn: formatUrn('job', [PREFIX, `${name}-${attempt}`]), name: `${name}-${attempt}` },
        { actor: PREFIX },
      ),
    );
    expect(event).toMatchObject({ event: 'CREATE', createdJob: { urn: expect.stringContaining(name) } });
  });
});
