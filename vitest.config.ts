import { defineConfig } from 'vitest/config';

export default defineConfig({
  // `await using` is newer than Node 20, so it is compiled down for the tests as tsx does for the entry points.
  oxc: { target: 'es2022' },
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // Tests start real servers and native modules: a process per file keeps one file's crash or leak out of the next.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});
