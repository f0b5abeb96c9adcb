import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, isLoopback, loadConfig } from '#config';
import { scratchFolder } from '../support/folder.js';

const COMPLETE = {
  NUCLEUS_INTERNAL_TOKEN: 'internal-token-of-24-chars',
  NUCLEUS_SECRET_KEY: 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=',
  NEO4J_PASSWORD: 'a-password',
};

function problemsOf(environment: Record<string, string>, reader: 'server' | 'worker' = 'server'): readonly string[] {
  try {
    loadConfig(reader, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('has a default for everything that is not secret', () => {
    const config = loadConfig('server', COMPLETE);
    expect(config).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 4000,
      NEO4J_URI: 'bolt://127.0.0.1:7687',
      TEMPORAL_NAMESPACE: 'nucleus',
      LINEAGE_INBOX_PATH: '.nucleus/data/lineage-inbox',
      LINEAGE_WAIT_MS: 10_000,
      LOG_LEVEL: 'info',
    });
    expect(config.NUCLEUS_API_TOKEN).toBeUndefined();
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('gives each process only what it reads', () => {
    const config = loadConfig('worker', { NEO4J_PASSWORD: 'a-password', PORT: 'not read by workers' });
    expect(config.KV_PATH).toBe('.nucleus/data/kv');
    expect(Object.keys(config)).not.toContain('PORT');
  });

  it('names every setting that is wrong in one error, once each, and no value of a secret', () => {
    const problems = problemsOf({
      PORT: '70000',
      NUCLEUS_API_TOKEN: 'short-secret',
      NUCLEUS_INTERNAL_TOKEN: 'tiny-secret',
      NEO4J_URI: 'http://db:7474',
      NEO4J_BROWSER_URL: 'nowhere',
      TEMPORAL_ADDRESS: 'temporal',
      LOG_LEVEL: 'loud',
    });
    const names = problems.map((problem) => problem.split(' ')[0]).sort();
    expect(names).toEqual([
      'LOG_LEVEL',
      'NEO4J_BROWSER_URL',
      'NEO4J_PASSWORD',
      'NEO4J_URI',
      'NUCLEUS_API_TOKEN',
      'NUCLEUS_INTERNAL_TOKEN',
      'NUCLEUS_SECRET_KEY',
      'PORT',
      'TEMPORAL_ADDRESS',
    ]);
    const text = new ConfigError(problems).message;
    expect(text).toContain('9 problem(s)');
    expect(text).toContain('got "http://db:7474"');
    expect(text).not.toMatch(/short-secret|tiny-secret/);
  });

  it('refuses bulk requests that are larger than memory allows for', () => {
    expect(problemsOf({ ...COMPLETE, BULK_MAX_BYTES: '268435456' })).toEqual([]);
    expect(problemsOf({ ...COMPLETE, BULK_MAX_BYTES: '268435457' })).toEqual([expect.stringContaining('268435456')]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig('server', { ...COMPLETE, PORT: '', NUCLEUS_API_TOKEN: '' }).PORT).toBe(4000);
    expect(problemsOf({ ...COMPLETE, NEO4J_PASSWORD: '' })).toEqual([
      expect.stringMatching(/^NEO4J_PASSWORD \(or NEO4J_PASSWORD_FILE\) is not set/),
    ]);
  });

  it('reads a secret from the file that <NAME>_FILE names, without the line end', async () => {
    await using folder = await scratchFolder();
    const file = join(folder.path, 'password');
    await writeFile(file, 'from-a-file\n');
    const { NEO4J_PASSWORD: _, ...rest } = COMPLETE;
    expect(loadConfig('server', { ...rest, NEO4J_PASSWORD_FILE: file }).NEO4J_PASSWORD).toBe('from-a-file');
  });

  it('refuses a secret that is given twice, with one line', () => {
    expect(problemsOf({ ...COMPLETE, NEO4J_PASSWORD_FILE: '/anywhere' })).toEqual([
      'NEO4J_PASSWORD and NEO4J_PASSWORD_FILE are both set: keep one',
    ]);
  });

  it('says that a file of a secret cannot be read, with one line', () => {
    const { NEO4J_PASSWORD: _, ...rest } = COMPLETE;
    expect(problemsOf({ ...rest, NEO4J_PASSWORD_FILE: '/nowhere/password' })).toEqual([
      'NEO4J_PASSWORD_FILE names a file that cannot be read: ENOENT',
    ]);
  });

  it('refuses to listen beyond loopback without a token', () => {
    const token = 'an-api-token-of-24-characters';
    expect(problemsOf({ ...COMPLETE, HOST: '0.0.0.0' })).toEqual([
      'HOST "0.0.0.0" is not loopback: set NUCLEUS_API_TOKEN too, or bind to 127.0.0.1',
    ]);
    expect(problemsOf({ ...COMPLETE, HOST: '0.0.0.0', NUCLEUS_API_TOKEN: token })).toEqual([]);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['localhost.example.com', false],
    ['127.0.0.1.example.com', false],
  ])('takes %s for loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
