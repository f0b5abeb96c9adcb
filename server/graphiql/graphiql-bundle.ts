import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface GraphiqlBundle {
  readonly script: Buffer;
  readonly style: Buffer;
}

const ENTRY = fileURLToPath(new URL('graphiql-page.tsx', import.meta.url));
const INPUTS = ['../../package-lock.json', './graphiql-page.tsx', './example-operations.ts'];

/**
 * GraphiQL from our own bundle: the page works offline and loads nothing from elsewhere. Made once and kept in
 * `cacheFolder` under the hash of its inputs.
 */
export async function loadGraphiqlBundle(cacheFolder: string): Promise<GraphiqlBundle> {
  const folder = join(cacheFolder, `graphiql-${await inputHash()}`);
  try {
    return await readBundle(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const partial = `${folder}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  await build({
    entryPoints: { graphiql: ENTRY },
    outdir: partial,
    bundle: true,
    minify: true,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.woff2': 'dataurl', '.woff': 'dataurl', '.ttf': 'dataurl', '.svg': 'dataurl' },
    logLevel: 'error',
  });
  const bundle = await readBundle(partial);
  // Another server may have been faster; its bundle is the same.
  await rename(partial, folder).catch(() => rm(partial, { recursive: true, force: true }));
  return bundle;
}

async function readBundle(folder: string): Promise<GraphiqlBundle> {
  const [script, style] = await Promise.all([
    readFile(join(folder, 'graphiql.js')),
    readFile(join(folder, 'graphiql.css')),
  ]);
  return { script, style };
}

async function inputHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const input of INPUTS) hash.update(await readFile(new URL(input, import.meta.url)));
  return hash.digest('hex').slice(0, 16);
}
