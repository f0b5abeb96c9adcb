import { Client, Connection } from '@temporalio/client';
import { Neo4jLineageStore } from '#graph-store';
import { LineageEventWriter } from '#ingestion';
import { testEnvironment } from './environment.js';
import { openSharedGraph, type TestGraph } from './graph.js';
import { type HttpApp, openHttpApp } from './http-app.js';
import { postLineage } from './lineage-client.js';
import { openTestIntake } from './lineage-intake.js';

/** A server that brings events of OpenLineage into the shared graph. */
export interface IntakeApp extends AsyncDisposable {
  readonly graph: TestGraph;
  readonly app: HttpApp;
  /** Tells of events; they are in the graph afterwards. @throws Error for an event that was not taken */
  tell(events: readonly unknown[]): Promise<void>;
  /** Waits until everything that was acknowledged so far is in the graph. */
  drained(): Promise<void>;
}

/** @param options.apiToken which callers must send @default none is needed */
export async function openIntakeApp({ apiToken }: { apiToken?: string } = {}): Promise<IntakeApp> {
  const graph = await openSharedGraph();
  const connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  const intake = await openTestIntake(new LineageEventWriter(new Neo4jLineageStore(graph.driver)));
  intake.drainer.start();
  const app = await openHttpApp(graph, {
    temporal: new Client({ connection }),
    openLineage: intake,
    lineage: { waitMs: 60_000 },
    ...(apiToken !== undefined && { apiToken }),
  });
  const headers = apiToken === undefined ? {} : { authorization: `Bearer ${apiToken}` };
  const tell = async (events: readonly unknown[]) => {
    const { status, json } = await postLineage(app, '/batch?wait=committed', events, headers);
    if (status !== 200 || json.status !== 'success') throw new Error(`not taken: ${JSON.stringify(json)}`);
  };
  return {
    ...{ graph, app, tell },
    // Events are applied in the order in which they were acknowledged.
    drained: () => tell([{ eventTime: '2026-01-01T00:00:00Z', dataset: { namespace: 'drained', name: 'drained' } }]),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await intake[Symbol.asyncDispose]();
      await connection.close();
      await graph[Symbol.asyncDispose]();
    },
  };
}
