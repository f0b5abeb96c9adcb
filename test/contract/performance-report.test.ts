import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { performanceReport, readResults } from '../../bench/harness/index.js';

describe('docs/performance/', () => {
  it.each(Object.entries(performanceReport(readResults())))(
    '%s is what `npm run bench -- report` makes of the results',
    async (path, text) => {
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );
});
