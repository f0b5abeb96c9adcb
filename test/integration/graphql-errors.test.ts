import { createClient } from 'graphql-ws';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { endpointUrn } from '#graph-schema';
import { IngestionCatalog, openDriver } from '#graph-store';
import { testEnvironment } from '../support/environment.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { type HttpApp, openHttpApp } from '../support/http-app.js';
import { openOwnNamespace, type TestNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

let graph: TestGraph;
let temporal: TestNamespace;
let app: HttpApp;
/** Its catalog is refused by Neo4j. */
let locked: HttpApp;
let refused: Driver;

beforeAll(async () => {
  [graph, temporal] = await Promise.all([openSharedGraph(), openOwnNamespace('errors')]);
  const { NEO4J_URI: uri } = testEnvironment();
  refused = openDriver({ uri, user: 'nobody', password: 'wrong' });
  app = await openHttpApp(graph, { temporal: temporal.client });
  locked = await openHttpApp(graph, { temporal: temporal.client, catalog: new IngestionCatalog(refused) });
});
afterAll(async () => {
  await refused?.close();
  for (const part of [locked, app, temporal, graph]) await part?.[Symbol.asyncDispose]();
});

const QUERY = '{ metadataEndpointTemplates { id } }';

/** The end of a subscription: its errors, or what it was sent first. */
function firstAnswer(on: HttpApp, query: string): Promise<unknown> {
  const client = createClient({ url: on.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  return new Promise((resolve) => {
    const stop = client.subscribe({ query }, { next: finish, error: finish, complete: () => undefined });
    function finish(answer: unknown): void {
      resolve(answer);
      stop();
      void client.dispose();
    }
  });
}

describe('a request that is no valid GraphQL', () => {
  it.each([
    ['a syntax error', '{ metadataEndpointTemplates {', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ metadataEndpointTemplates { nonsense } }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('says so: %s', async (_, query, code) => {
    const { status, errors } = await app.graphql(query);
    expect(status).toBe(400);
    expect(errors?.map((error) => error.extensions.code)).toEqual([code]);
  });

  it('names the variable that does not fit', async () => {
    const query = 'query Q($first: Int) { ingestionRuns(first: $first) { totalCount } }';
    const { errors } = await app.graphql(query, { first: 'ten' });
    expect(errors).toMatchObject([
      { message: expect.stringContaining('$first'), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  // Such a variable fits by its type, since the argument has a default, so that only the execution finds it.
  it.each([
    ['an argument', 'query Q($first: Int) { lineageImpact(urn: "a", first: $first) { nodes { urn } } }', 'first'],
    ['a directive', 'query Q($first: Boolean = true) { metadataEndpointTemplates { id @skip(if: $first) } }', 'if'],
  ])('names %s that must not be null', async (_, query, argument) => {
    const { errors } = await app.graphql(query, { first: null });
    expect(errors).toMatchObject([
      { message: expect.stringContaining(argument), extensions: { code: 'BAD_USER_INPUT', retryable: false } },
    ]);
  });

  it('shows what a list refuses', async () => {
    for (const [parameters, field] of [
      ['first: 0', 'first'],
      ['after: "nonsense"', 'after'],
    ]) {
      const { errors } = await app.graphql(`{ ingestionRuns(${parameters}) { nodes { id } } }`);
      expect(errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT', retryable: false, details: { problems: [{ field }] } } },
      ]);
    }
  });
});

describe('a fault of the server', () => {
  it('shows no word of it, only the id under which the log has it', async () => {
    // Nothing of ours writes such a config, so whoever reads it has met something unexpected.
    const id = uniquePrefix('unreadable');
    const properties = { id, role: 'sink', templateId: 'iceberg', vendor: 'iceberg', config: 'canary, but no JSON' };
    const entity = { kind: 'MetadataEndpoint' as const, urn: endpointUrn(id), name: id, properties };
    await graph.store.upsertEntity(entity, { actor: 'test' });
    const { errors } = await app.graphql(`{ metadataEndpoints(ids: ["${id}"]) { nodes { id } } }`);
    await graph.store.write({ deletions: [{ urn: entity.urn }] }, { actor: 'test' });

    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false } }]);
    expect(JSON.stringify(errors)).not.toMatch(/canary|JSON/);
    expect(errors?.[0]?.extensions).not.toHaveProperty('stacktrace');
    const requestId = String(errors?.[0]?.extensions.requestId);
    const logged = app
      .log()
      .split('\n')
      .find((line) => line.includes(requestId));
    expect(JSON.parse(logged ?? '{}').err).toMatchObject({ type: 'SyntaxError' });
  });

  it('is told from an outage of a store, which may pass', async () => {
    const { errors } = await locked.graphql(QUERY);
    expect(errors).toMatchObject([
      { extensions: { code: 'STORE_UNAVAILABLE', retryable: true, details: { store: 'neo4j' } } },
    ]);
  });
});

describe('a subscription', () => {
  it('begins with the cursor that it watches from', async () => {
    expect(await firstAnswer(app, 'subscription { ingestionRunEvents { kind cursor run { id } } }')).toEqual({
      data: { ingestionRunEvents: { kind: 'SUBSCRIBED', cursor: expect.any(String), run: null } },
    });
  });

  it('is refused with a cursor that is none, in the form that errors have over HTTP', async () => {
    const answer = await firstAnswer(app, 'subscription { ingestionRunEvents(after: "yesterday") { kind } }');
    const extensions = { code: 'BAD_USER_INPUT', retryable: false, details: { problems: [{ field: 'after' }] } };
    expect(answer).toMatchObject([{ extensions }]);
  });
});
