import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '#stack';
import { LAYOUT } from '../../scripts/start/layout.js';
import { tallyPytest, tallyVitest } from '../../scripts/test-run/tally.js';
import { scratchFolder } from '../support/folder.js';

const run = promisify(execFile);

/** Each runs the runner itself on small files, so that a new version of it with another report is noticed. */
const RUNNERS = [
  {
    name: 'vitest',
    tally: vitest,
    file: (name: string) => `${name}.test.js`,
    besideBroken: { passed: 2, failed: 2 },
    tests: {
      passing: "it('a', () => {}); it('b', () => {});",
      failing: "it('fails', () => { expect(1).toBe(2); });",
      skipped: "it.skip('skipped', () => {}); it.todo('to do');",
      broken: "import './does-not-exist.js'; it('never seen', () => {});",
      empty: 'export {};',
      halfSetUp: "beforeAll(() => { throw new Error('no server'); }); it('a', () => {}); it('b', () => {});",
      leaking:
        "it('a', () => { setTimeout(() => { throw new Error('late'); }); }); it('b', (t) => new Promise((r) => setTimeout(r, 50)));",
    },
  },
  {
    name: 'pytest',
    tally: pytest,
    file: (name: string) => `test_${name}.py`,
    // It runs nothing at all when any file can not be loaded.
    besideBroken: { passed: 0, failed: 1 },
    tests: {
      passing: 'def test_a(): pass\ndef test_b(): pass\n',
      failing: 'def test_fails(): assert 1 == 2\n',
      skipped: `import pytest\n@pytest.mark.skip(reason="")\ndef test_a(): pass\n@pytest.mark.xfail\ndef test_b(): assert False\n`,
      broken: 'import does_not_exist\ndef test_never_seen(): pass\n',
      empty: '',
      halfSetUp: `import pytest\n@pytest.fixture(autouse=True)\ndef server(): raise OSError("no server")\ndef test_a(): pass\ndef test_b(): pass\n`,
      leaking: `import atexit, os\natexit.register(lambda: os._exit(3))\ndef test_a(): pass\ndef test_b(): pass\n`,
    },
  },
] as const;

describe.each(RUNNERS)('$name', ({ tally, tests, file, besideBroken }) => {
  const of = async (...names: (keyof typeof tests)[]) => {
    await using folder = await scratchFolder();
    mkdirSync(join(folder.path, 'tests'));
    for (const name of names) writeFileSync(join(folder.path, 'tests', file(name)), tests[name]);
    return await tally(folder.path);
  };

  it('counts what passed', async () => {
    expect(await of('passing')).toEqual({ passed: 2, failed: 0 });
  });

  it('counts what failed, was skipped, is still to do, or was never set up', async () => {
    expect(await of('passing', 'failing', 'skipped', 'halfSetUp')).toEqual({ passed: 2, failed: 5 });
  });

  it('counts a file that can not be loaded', async () => {
    expect(await of('passing', 'failing', 'broken')).toEqual(besideBroken);
  });

  it('counts a run without any test as failed', async () => {
    expect(await of()).toEqual({ passed: 0, failed: 1 });
  });

  it('counts a failure outside every test', async () => {
    expect(await of('leaking')).toEqual({ passed: 2, failed: 1 });
  });

  it('counts a runner that left no report, or half of one', async () => {
    await using folder = await scratchFolder();
    const report = join(folder.path, 'report');
    const read = tally === vitest ? tallyVitest : tallyPytest;
    expect(read(report, 0)).toEqual({ passed: 0, failed: 1 });
    writeFileSync(report, tally === vitest ? '{"numPassedTests":3,' : '<?xml version="1.0"?><testsuites><testsu');
    expect(read(report, 0)).toEqual({ passed: 0, failed: 1 });
  });
});

async function vitest(folder: string) {
  const report = join(folder, 'report.json');
  const exitCode = await exitCodeOf(process.execPath, [
    join(REPOSITORY_ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    ...['run', '--root', folder, '--globals', '--reporter=json', `--outputFile=${report}`],
  ]);
  return tallyVitest(report, exitCode);
}

async function pytest(folder: string) {
  const report = join(folder, 'report.xml');
  const exitCode = await exitCodeOf(LAYOUT.python, [
    ...['-m', 'pytest', '-c', '/dev/null', '--rootdir', folder, '-p', 'no:cacheprovider'],
    ...[`--junitxml=${report}`, join(folder, 'tests')],
  ]);
  return tallyPytest(report, exitCode);
}

async function exitCodeOf(command: string, args: readonly string[]): Promise<number> {
  // A runner must not take the run that we are part of for its own.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/VITEST|PYTEST|TEST_/.test(name)));
  try {
    await run(command, args, { env });
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}
