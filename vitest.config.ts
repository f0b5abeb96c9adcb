import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// `await using` is newer than Node 20, so it is compiled down for the tests as tsx does for the entry points.
const oxc = { target: 'es2022' };
// Vite would take the ES build of graphql where Node takes the CommonJS one, and two builds know nothing of each other's types.
const resolve = {
  alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
};

const IN_ONE_PROCESS = ['test/{unit,contract,secrets}/**/*.test.ts'];

export default defineConfig({
  test: {
    // Tests start real servers and native modules: a process per file keeps one file's crash or leak out of the next.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 240_000,
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        oxc,
        resolve,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: [...IN_ONE_PROCESS, 'test/{e2e,integration,start,soak,samples,browser}/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        oxc,
        resolve,
        // All of them load the same server: once for each of the two processes that share these files is enough.
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        oxc,
        resolve,
        // Many files that start nothing: a process for each would be busier with loading modules than with tests.
        test: { name: 'unit', include: IN_ONE_PROCESS, isolate: false, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        oxc,
        resolve,
        // On events that are not part of this repository: `OPENLINEAGE_EVENTS` names their folder.
        test: { name: 'samples', include: ['test/samples/**/*.test.ts'], sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        oxc,
        resolve,
        // With a headless Chromium, where one is installed.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 240_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        oxc,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // Each file runs a server and workers of its own on the task queues that all share.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        oxc,
        // `npm start` in a home of its own, with servers of its own: it can run beside all others.
        test: { name: 'start', include: ['test/start/**/*.test.ts'], sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        oxc,
        resolve,
        // The long forms of tests that run in small among the others; `npm run test:soak` runs them, `npm test` does not.
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 1_800_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
