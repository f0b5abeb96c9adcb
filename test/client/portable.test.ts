import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '#stack';

it('the SDK needs nothing of Node, so that browsers and other runtimes can load it', async () => {
  const { metafile } = await build({
    entryPoints: [`${REPOSITORY_ROOT}/client/index.ts`],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  expect(imports.filter((path) => path.startsWith('node:'))).toEqual([]);
  // The command line, yargs and graphql itself stay out of it.
  const packages = imports.flatMap((path) => /^node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
  expect(new Set(packages)).toEqual(new Set(['graphql-ws', 'ws']));
});
