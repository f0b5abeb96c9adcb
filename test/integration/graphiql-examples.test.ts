import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { EXAMPLE_OPERATIONS, type ExampleOperation } from '../../server/graphiql/example-operations.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('graphiql')]);
  app = await openHttpApp(graph, { temporal: temporal.client });
});
afterAll(async () => {
  for (const part of [app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

/** The first event of a subscription, or its errors. */
function firstEvent({ query, variables }: ExampleOperation): Promise<unknown> {
  const client = createClient({ url: app.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  return new Promise((resolve) => {
    const finish = (answer: unknown) => {
      resolve(answer);
      void client.dispose();
    };
    const payload = { query, ...(variables && { variables: { ...variables } }) };
    client.subscribe(payload, { next: finish, error: finish, complete: () => undefined });
  });
}

const isSubscription = ({ query }: ExampleOperation) => /^subscription /m.test(query);

/** Every `userErrors` anywhere in an answer. */
function userErrorsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (name === 'userErrors' ? member : userErrorsIn(member)));
}

describe('an example of GraphiQL', () => {
  it.each(EXAMPLE_OPERATIONS.map((example) => ({ title: example.query.split('\n')[0], example })))(
    'runs: $title',
    async ({ example }) => {
      const answer = isSubscription(example)
        ? await firstEvent(example)
        : await app.graphql(example.query, { ...example.variables });
      expect(answer).toMatchObject({ data: expect.any(Object) });
      expect(answer).not.toMatchObject({ errors: expect.anything() });
      expect(userErrorsIn(answer)).toEqual([]);
    },
  );

  it('finds what an earlier one has written', async () => {
    const reads = EXAMPLE_OPERATIONS.filter(({ query }) => /^query (Node|History|Datasets)\b/m.test(query));
    const answers = await Promise.all(reads.map(({ query, variables }) => app.graphql(query, { ...variables })));
    const texts = answers.map((answer) => JSON.stringify(answer.data));
    expect(texts).toEqual([
      expect.stringContaining('nucleus:tag:example'),
      expect.stringContaining('Every order since 2019.'),
      expect.stringContaining('"tags":[{"name":"example"}]'),
    ]);
  });
});
