import { describe, expect, it } from 'vitest';
import { testEnvironment } from '../support/environment.js';

describe('a test that needs servers', () => {
  it('fails and names what is not set: it never skips', () => {
    expect(() => testEnvironment({ NEO4J_URI: 'bolt://127.0.0.1:1', NEO4J_USER: 'neo4j' })).toThrow(
      /^NEO4J_PASSWORD, TEMPORAL_ADDRESS, .*not set: these tests need real servers/,
    );
  });
});
