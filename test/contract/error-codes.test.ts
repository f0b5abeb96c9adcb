import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_REGISTRY, REQUEST_ERROR_REGISTRY } from '#errors';
import { DEFAULT_LIMITS } from '../support/default-limits.js';

/** Rows of the tables in docs/errors.md, by their code. */
async function documented(): Promise<Map<string, string[]>> {
  const lines = (await readFile('docs/errors.md', 'utf8')).split('\n');
  const rows = lines.map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
  return new Map(rows.flatMap(([code = '', ...cells]) => (/^`\w+`$/.test(code) ? [[code.slice(1, -1), cells]] : [])));
}

const sentence = expect.stringMatching(/^[A-Z`].{10,}\.$/);

describe('docs/errors.md', () => {
  it('has every code that a client can meet, and no other', async () => {
    const codes = [...Object.keys(ERROR_REGISTRY), ...Object.keys(REQUEST_ERROR_REGISTRY)];
    expect([...(await documented()).keys()]).toEqual(codes);
  });

  it.each(Object.entries(ERROR_REGISTRY))('says of %s what it means and what to do', async (code, entry) => {
    const retryable = entry.retryable ? 'yes' : 'no';
    expect((await documented()).get(code)).toEqual([String(entry.status), retryable, sentence, sentence]);
  });

  it.each(Object.keys(REQUEST_ERROR_REGISTRY))('says of %s what it means and what to do', async (code) => {
    expect((await documented()).get(code)).toEqual([sentence, sentence]);
  });
});

describe('docs/limits.md', () => {
  it('has every limit with its default', async () => {
    const page = await readFile('docs/limits.md', 'utf8');
    const { operation, ...others } = DEFAULT_LIMITS;
    for (const [name, value] of Object.entries({ ...others, ...operation })) {
      const shown = name === 'bodyBytes' ? '1 MiB' : value.toLocaleString('en-US');
      expect(page).toContain(`| \`${name}\` | ${shown} |`);
    }
    expect(DEFAULT_LIMITS.bodyBytes).toBe(1024 ** 2);
  });
});
