import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzOverHttp } from '../support/graphql-fuzz/fuzz-http.js';
import { fuzzOverSocket } from '../support/graphql-fuzz/fuzz-socket.js';
import { type FuzzedApp, openFuzzedApp } from '../support/graphql-fuzz/fuzzed-app.js';

/** One fixed path through the operations, so that a run tells about the code alone; test/soak/ takes other paths, and longer ones. */
const SEED = 20_261_123;

/** Only a failure takes long: it looks for the smallest operation that still fails. */
const TIMEOUT_MS = 300_000;

let fuzzed: FuzzedApp;

beforeAll(async () => {
  fuzzed = await openFuzzedApp();
});
afterAll(async () => {
  await fuzzed?.[Symbol.asyncDispose]();
});

describe('a hostile operation', () => {
  it(
    'is answered with data or an error that blames it, over HTTP',
    async () => {
      await fuzzOverHttp(fuzzed, { runs: 120, seed: SEED });
    },
    TIMEOUT_MS,
  );

  it(
    'is answered with data or an error that blames it, over WebSocket',
    async () => {
      await fuzzOverSocket(fuzzed, { runs: 120, seed: SEED });
    },
    TIMEOUT_MS,
  );

  it('leaves the server without a fault in its log, and answering', async () => {
    expect(fuzzed.app.log()).not.toContain('unexpected error');
    expect(await fuzzed.app.graphql('{ __typename }')).toMatchObject({ status: 200, data: { __typename: 'Query' } });
  });
});
