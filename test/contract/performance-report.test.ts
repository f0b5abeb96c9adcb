import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { performanceReport, readResults } from '../../bench/harness/index.js';

const README = readFileSync('README.md', 'utf8');

describe('what is measured', () => {
  it('stands in the README, missed targets too', () => {
    const [result] = readResults();
    const report = performanceReport([], README)['README.md'] ?? '';
    expect(report).not.toContain(`| ${result?.id} `);
    expect(README).toContain(`| ${result?.id} `);
  });

  it.each(Object.entries(performanceReport(readResults(), README)))(
    '%s is what `npm run bench -- report` makes of the results',
    async (path, text) => {
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );
});
