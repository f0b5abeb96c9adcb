import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generatedFiles } from './generated-files.js';

/**
 * Writes the files that are made from code: `npm run generate`. With `--check` it writes nothing and ends with code 1
 * when a file is not what the code would make now.
 */
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, text] of Object.entries(await generatedFiles())) {
  const present = await readFile(path, 'utf8').catch(() => undefined);
  if (present === text) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
if (stale.length > 0) console.log(`${check ? 'stale' : 'written'}: ${stale.join(', ')}`);
if (check && stale.length > 0) {
  console.error('run `npm run generate` and commit the result');
  process.exitCode = 1;
}
