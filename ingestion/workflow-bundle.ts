import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Everything that workflow code is made from; the bundle is made again when a byte of it changes. */
const SOURCES = ['workflows', 'contracts'];

/**
 * The workflows' code as Temporal's sandbox loads it. Bundling takes seconds, so the result is kept in `cacheFolder` under
 * the hash of its sources.
 */
export async function loadWorkflowBundle(cacheFolder: string): Promise<{ code: string }> {
  const path = join(cacheFolder, `workflows-${await sourceHash()}.js`);
  try {
    return { code: await readFile(path, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { code } = await bundleWorkflowCode({ workflowsPath: join(HERE, 'workflows', 'index.ts') });
  await mkdir(cacheFolder, { recursive: true });
  // Renamed into place, so that a second worker or a crash never leaves half a bundle under the name.
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, code);
  await rename(partial, path);
  return { code };
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(new URL('../package-lock.json', import.meta.url)));
  for (const folder of SOURCES) {
    for (const name of (await readdir(join(HERE, folder))).sort()) {
      hash.update(name).update(await readFile(join(HERE, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
