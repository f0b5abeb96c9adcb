import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '#stack';
import { generatedFiles } from '../../scripts/generated-files.js';

const files = await generatedFiles();

describe('a file made from code', () => {
  it.each(Object.keys(files))('%s is what the code makes now: run `npm run generate` when it is not', async (path) => {
    expect(await readFile(join(REPOSITORY_ROOT, path), 'utf8')).toBe(files[path]);
  });
});
