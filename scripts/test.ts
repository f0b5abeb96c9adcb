import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT, StackError } from '#stack';
import { LAYOUT } from './start/layout.js';
import { findChromium } from './test-run/chromium.js';
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

/** Runners that follow each other. */
type Lane = readonly Runner[];
/** Lanes that run side by side. */
type Stage = readonly Lane[];

const PYTHON_FILE = /\.py(::|$)/;

/** The tests on foreign events, and those in a web browser, as far as these are there. */
function projectsAtHand(): { readonly here: readonly string[]; readonly missing: readonly string[] } {
  const needs = [
    {
      project: 'samples',
      isHere: Boolean(process.env.OPENLINEAGE_EVENTS),
      lack: 'the events of real clients; OPENLINEAGE_EVENTS names their folder',
    },
    {
      project: 'browser',
      isHere: findChromium(process.env) !== undefined,
      lack: 'Neo4j Browser in Chromium, which is not installed; CHROMIUM_PATH names one that is elsewhere',
    },
  ];
  for (const { project, isHere, lack } of needs) {
    if (!isHere) process.stdout.write(`not run: test/${project}, ${lack}\n`);
  }
  const named = (isHere: boolean) => needs.filter((need) => need.isHere === isHere).map(({ project }) => project);
  return { here: named(true), missing: named(false) };
}

function vitest(name: string, args: readonly string[]): Runner {
  const report = join(LAYOUT.logs, `test-${name}.json`);
  return {
    name,
    command: process.execPath,
    args: [
      join('node_modules', 'vitest', 'vitest.mjs'),
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ...args,
    ],
    cwd: REPOSITORY_ROOT,
    report,
    tally: tallyVitest,
  };
}

function vitestOfProjects(name: string, projects: readonly string[]): Runner {
  return vitest(
    name,
    projects.map((project) => `--project=${project}`),
  );
}

function pytest(args: readonly string[] = []): Runner {
  const report = join(LAYOUT.logs, 'test-pytest.xml');
  return {
    name: 'pytest',
    command: LAYOUT.python,
    args: ['-m', 'pytest', `--junitxml=${report}`, ...args],
    cwd: join(REPOSITORY_ROOT, 'python-bridge'),
    report,
    tally: tallyPytest,
  };
}

/** Each of these waits at times, for servers or for others, so another runs beside it; those of Python have servers of their own. */
function allTests(): readonly Stage[] {
  return [
    [[vitestOfProjects('rooms', ['rooms', 'integration', 'unit', ...projectsAtHand().here])], [pytest()]],
    [[vitestOfProjects('e2e', ['e2e'])], [vitestOfProjects('start', ['start'])]],
  ];
}

/** The long tests of both languages, one after the other, or only those of Python when one of its files is named. */
function soakTests(args: readonly string[]): readonly Stage[] {
  const python = pytest(['-m', 'soak', ...args]);
  const typescript = vitest('vitest', ['--project', 'soak', ...args]);
  if (args.length === 0) return [[[python]], [[typescript]]];
  return [[[args.some((arg) => PYTHON_FILE.test(arg)) ? python : typescript]]];
}

/** The long tests, and those that lack what they need, only when they are asked for by name. */
function testsOf(args: readonly string[]): readonly Stage[] {
  if (args[0] === '--project' && args[1] === 'soak') return soakTests(args.slice(2));
  if (args.includes('--project')) return [[[vitest('vitest', args)]]];
  const excluded = ['soak', ...projectsAtHand().missing].map((project) => `--project=!${project}`);
  return [[[vitest('vitest', [...excluded, ...args])]]];
}

/** @param isShown when false, what it prints is held back until it ends, so that it does not mix with that of others */
async function run(
  runner: Runner,
  { env, signal, isShown }: { env: Readonly<Record<string, string>>; signal: AbortSignal; isShown: boolean },
): Promise<Tally> {
  rmSync(runner.report, { force: true });
  const startedAt = Date.now();
  const output = isShown ? undefined : join(LAYOUT.logs, `test-${runner.name}.log`);
  const held = output === undefined ? undefined : openSync(output, 'w');
  const child = spawn(runner.command, runner.args, {
    cwd: runner.cwd,
    env: { ...process.env, ...env },
    stdio: held === undefined ? 'inherit' : ['ignore', held, held],
  });
  if (held !== undefined) closeSync(held);
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  const exitCode = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
  signal.removeEventListener('abort', end);
  if (output !== undefined) process.stdout.write(readFileSync(output));
  const tally = runner.tally(runner.report, exitCode);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`\n${runner.name}: ${tally.passed} passed, ${tally.failed} failed in ${seconds} s\n\n`);
  return tally;
}

async function runStage(stage: Stage, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Tally[]> {
  const lanes = stage.map(async (lane, index) => {
    const tallies: Tally[] = [];
    for (const runner of lane) {
      const isShown = index === 0;
      tallies.push(signal.aborted ? { passed: 0, failed: 1 } : await run(runner, { env, signal, isShown }));
    }
    return tallies;
  });
  return (await Promise.all(lanes)).flat();
}

/**
 * Runs the tests on servers of their own. The last line on standard output is `N passed, N failed`.
 * @param args for vitest; when there are any, only vitest runs, but `--project soak` runs the long tests of Python too,
 *   and with a file `*.py` below python-bridge only those
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
      for (const stage of args.length > 0 ? testsOf(args) : allTests()) {
        for (const { passed, failed } of await runStage(stage, servers.env, interrupt.signal)) {
          total.passed += passed;
          total.failed += failed;
        }
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
