import { Client, Connection } from '@temporalio/client';
import { testEnvironment } from './environment.js';
import { openSharedGraph, type TestGraph } from './graph.js';
import { type HttpApp, openHttpApp } from './http-app.js';
import { type LineageStory, writeStory } from './lineage-story.js';

/** A server on the shared graph, in which a story of lineage is told. */
export interface StoryApp extends AsyncDisposable {
  readonly graph: TestGraph;
  readonly app: HttpApp;
  readonly temporal: Client;
  readonly story: LineageStory;
}

/** @param prefix of all names in the story */
export async function openStoryApp(prefix: string): Promise<StoryApp> {
  const graph = await openSharedGraph();
  const connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  const temporal = new Client({ connection });
  const app = await openHttpApp(graph, { temporal });
  return {
    ...{ graph, app, temporal },
    story: await writeStory(graph, prefix),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await connection.close();
      await graph[Symbol.asyncDispose]();
    },
  };
}
