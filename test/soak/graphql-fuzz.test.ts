import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzOverHttp } from '../support/graphql-fuzz/fuzz-http.js';
import { fuzzOverSocket } from '../support/graphql-fuzz/fuzz-socket.js';
import { type FuzzedApp, openFuzzedApp } from '../support/graphql-fuzz/fuzzed-app.js';

let fuzzed: FuzzedApp;

beforeAll(async () => {
  fuzzed = await openFuzzedApp();
});
afterAll(async () => {
  await fuzzed?.[Symbol.asyncDispose]();
});

describe('hostile operations, many of them and others each time', () => {
  // The error of a failed run prints the seed and the operation.
  it('find no fault over HTTP', async () => {
    await fuzzOverHttp(fuzzed, { runs: 30_000, seed: randomInt(2 ** 31) });
  });

  it('find no fault over WebSocket', async () => {
    await fuzzOverSocket(fuzzed, { runs: 15_000, seed: randomInt(2 ** 31) });
  });

  it('leave the server without a fault in its log', () => {
    expect(fuzzed.app.log()).not.toContain('unexpected error');
  });
});
