import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { findChromium } from '../../scripts/test-run/chromium.js';
import { scratchFolder } from '../support/folder.js';

it('finds what can be run by one of its names in a folder of the PATH', async () => {
  await using first = await scratchFolder();
  await using second = await scratchFolder();
  const PATH = [first.path, second.path].join(delimiter);
  const chrome = join(first.path, 'google-chrome');
  await writeFile(join(first.path, 'chromium'), 'not to be run');
  await writeFile(chrome, '');
  await chmod(chrome, 0o755);
  expect(findChromium({ PATH })).toBe(chrome);

  const chromium = join(second.path, 'chromium');
  await writeFile(chromium, '');
  await chmod(chromium, 0o755);
  expect(findChromium({ PATH })).toBe(chromium);
});

it('takes the one that is named, so that a wrong path is no reason to leave tests out', () => {
  expect(findChromium({ CHROMIUM_PATH: '/nowhere/chromium', PATH: '/usr/bin' })).toBe('/nowhere/chromium');
});
