import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT, StackError } from '#stack';
import { LAYOUT } from './start/layout.js';
import { type Tally, tallyPytest, tallyVitest } from './test-run/tally.js';
import { startTestServers } from './test-run/test-servers.js';

interface Runner {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly report: string;
  readonly tally: (report: string, exitCode: number) => Tally;
}

/** The long tests run by another command; those on foreign events only where these are. */
function defaultProjects(): readonly string[] {
  if (process.env.OPENLINEAGE_EVENTS) return ['--project=!soak'];
  process.stdout.write('not run: test/samples, the events of real clients; OPENLINEAGE_EVENTS names their folder\n');
  return ['--project=!soak', '--project=!samples'];
}

function vitest(args: readonly string[]): Runner {
  const report = join(LAYOUT.logs, 'test-vitest.json');
  return {
    name: 'vitest',
    command: process.execPath,
    args: [
      join('node_modules', 'vitest', 'vitest.mjs'),
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ...(args.includes('--project') ? args : [...defaultProjects(), ...args]),
    ],
    cwd: REPOSITORY_ROOT,
    report,
    tally: tallyVitest,
  };
}

function pytest(): Runner {
  const report = join(LAYOUT.logs, 'test-pytest.xml');
  return {
    name: 'pytest',
    command: LAYOUT.python,
    args: ['-m', 'pytest', `--junitxml=${report}`],
    cwd: join(REPOSITORY_ROOT, 'python-bridge'),
    report,
    tally: tallyPytest,
  };
}

async function run(runner: Runner, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Tally> {
  rmSync(runner.report, { force: true });
  const startedAt = Date.now();
  const child = spawn(runner.command, runner.args, {
    cwd: runner.cwd,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  const exitCode = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
  signal.removeEventListener('abort', end);
  const tally = runner.tally(runner.report, exitCode);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`\n${runner.name}: ${tally.passed} passed, ${tally.failed} failed in ${seconds} s\n\n`);
  return tally;
}

/**
 * Runs the tests on servers of their own. The last line on standard output is `N passed, N failed`.
 * @param args for vitest; when there are any, only vitest runs
 * @returns exit code
 */
export async function test(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort(new Error(name)));
  mkdirSync(LAYOUT.logs, { recursive: true });
  const total = { passed: 0, failed: 0 };
  try {
    const startedAt = Date.now();
    const servers = await startTestServers(process.env, interrupt.signal);
    process.stdout.write(`servers: up in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
    try {
      for (const runner of args.length > 0 ? [vitest(args)] : [vitest(args), pytest()]) {
        const tally = interrupt.signal.aborted
          ? { passed: 0, failed: 1 }
          : await run(runner, servers.env, interrupt.signal);
        total.passed += tally.passed;
        total.failed += tally.failed;
      }
    } finally {
      await servers[Symbol.asyncDispose]();
    }
  } catch (error) {
    process.stderr.write(`${error instanceof StackError ? error.message : String((error as Error).stack ?? error)}\n`);
    total.failed += 1;
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
}
