import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#stack';
import { test } from './test.js';

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
}

const PYTHON_FOLDERS = ['.', '../scripts/demo', '../test/support'];

const npm = (name: string, script: string): Check => ({ name, command: ['npm', 'run', '--silent', script] });

/** From the folder of the configuration, whose patterns count from there. */
const python = (name: string, tool: string, ...args: string[]): Check => {
  return { name, command: [join(REPOSITORY_ROOT, '.venv', 'bin', tool), ...args], cwd: 'python-bridge' };
};

/** Everything that looks at the code without running it. */
const CHECKS: readonly Check[] = [
  npm('lint and format', 'lint'),
  npm('types', 'types'),
  npm('boundaries', 'boundaries'),
  npm('unused code', 'unused'),
  python('Python lint', 'ruff', 'check', ...PYTHON_FOLDERS),
  python('Python format', 'ruff', 'format', '--check', ...PYTHON_FOLDERS),
  python('Python types', 'mypy', ...PYTHON_FOLDERS),
];

/**
 * Runs what CI runs: the checks, all of them, and when they pass the tests. The last line is `N passed, N failed`.
 * @returns exit code
 */
export async function verify(): Promise<number> {
  let failed = 0;
  for (const { name, command, cwd } of CHECKS) {
    const [program, ...args] = command;
    const startedAt = Date.now();
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: join(REPOSITORY_ROOT, cwd ?? ''),
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    const ok = status === 0;
    process.stdout.write(`${name.padEnd(16)} ${ok ? 'ok' : 'FAILED'}  ${seconds} s\n`);
    if (!ok) {
      failed += 1;
      process.stdout.write(`${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`);
    }
  }
  if (failed > 0) {
    process.stdout.write(`0 passed, ${failed} failed\n`);
    return 1;
  }
  return test([]);
}
