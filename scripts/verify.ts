import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#stack';
import { test } from './test.js';

const PYTHON_CONFIG = join('python-bridge', 'pyproject.toml');

const npm = (script: string) => ['npm', 'run', '--silent', script] as const;
const python = (tool: string, ...args: string[]) => [join('.venv', 'bin', tool), ...args] as const;

/** Everything that looks at the code without running it. */
const CHECKS: readonly {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
}[] = [
  { name: 'lint and format', command: npm('lint') },
  { name: 'types', command: npm('types') },
  { name: 'boundaries', command: npm('boundaries') },
  { name: 'unused code', command: npm('unused') },
  { name: 'Python lint', command: python('ruff', 'check', '--config', PYTHON_CONFIG, 'python-bridge', 'scripts') },
  {
    name: 'Python format',
    command: python('ruff', 'format', '--check', '--config', PYTHON_CONFIG, 'python-bridge', 'scripts'),
  },
  {
    name: 'Python types',
    command: [join('..', '.venv', 'bin', 'mypy'), '.', join('..', 'scripts', 'demo')],
    cwd: 'python-bridge',
  },
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
