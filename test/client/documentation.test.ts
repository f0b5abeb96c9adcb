import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '#stack';
import { EXIT_CODES, exitCodeOf, exitCodeOfCode, UsageError } from '../../client/cli/exit-codes.js';
import { CLIENT_CODES, NucleusError, SERVER_CODES } from '../../client/nucleus-error.js';
import { openSharedGraph } from '../support/graph.js';
import { openHttpApp } from '../support/http-app.js';
import { openOwnNamespace } from '../support/temporal.js';
import { uniquePrefix } from '../support/unique.js';

const page = readFileSync(`${REPOSITORY_ROOT}/docs/client.md`, 'utf8');

describe('docs/client.md', () => {
  it('has an example that runs', async () => {
    const [, example = ''] = /```ts\n(.*?)```/s.exec(page) ?? [];
    await using graph = await openSharedGraph();
    await using temporal = await openOwnNamespace('docs');
    await using app = await openHttpApp(graph, { temporal: temporal.client });
    // The graph is shared, and others have orders too.
    const orders = uniquePrefix('orders');
    const code = example
      .replaceAll('http://127.0.0.1:4000', app.url)
      .replace('lake:orders', `lake:${orders}`)
      .replace("search('orders')", `search('${orders}')`);
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', code],
      { cwd: REPOSITORY_ROOT, env: { PATH: process.env.PATH }, timeout: 30_000 },
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/CREATED nucleus:dataset.*\n?resume after /s);
  });

  it('lists the exit code of every error code', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| [^|]+ \|([^|]*)\|$/gm)];
    const documented = new Map(
      rows.flatMap(([, exit, codes = '']) => [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => [code, Number(exit)])),
    );
    for (const code of [...Object.keys(SERVER_CODES), ...Object.keys(CLIENT_CODES)]) {
      expect(documented.get(code), code).toBe(exitCodeOfCode(code));
    }
    expect(rows.map(([, exit]) => Number(exit))).toEqual(Object.values(EXIT_CODES));
  });
});

it('a failure that is neither of the server nor of the user is the fault of the client', () => {
  expect(exitCodeOf(new Error('a bug'))).toBe(1);
  expect(exitCodeOf(new NucleusError('CODE_OF_A_NEWER_SERVER', 'x'))).toBe(1);
  expect(exitCodeOf(new UsageError('x'))).toBe(2);
});
