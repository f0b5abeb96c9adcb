import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '#stack';
import { scratchFolder } from '../support/folder.js';

it.each(['start', 'verify'])(
  '"%s" names each thing that is missing on a line of its own, and fails',
  async (command) => {
    await using folder = await scratchFolder();
    const { exitCode, stderr } = await bootstrap(folder.path, command);
    expect(exitCode).toBe(1);
    const [title, ...lines] = stderr.trimEnd().split('\n');
    expect(title).toBe('Missing:');
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}npm: .*apt install npm/),
      expect.stringMatching(/^ {2}Python 3\.11 or newer .*apt install python3/),
      expect.stringMatching(/^ {2}a JDK 17 .*apt install openjdk-17/),
      expect.stringMatching(/^ {2}Maven .*apt install maven/),
    ]);
  },
);

it('counts tests that can not even begin as failed', async () => {
  await using folder = await scratchFolder();
  const { exitCode, stdout } = await bootstrap(folder.path, 'test');
  expect(exitCode).toBe(1);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
});

it('names only what is missing, and what is too old counts as missing', async () => {
  await using folder = await scratchFolder();
  command(folder.path, 'npm', 'exit 0');
  command(folder.path, 'mvn', 'exit 0');
  // Answers as a Python whose assertion on its version fails, and a JDK 11.
  command(folder.path, 'python3', 'exit 1');
  command(folder.path, 'java', 'echo "    java.home = /opt/jdk-11"; echo "    java.specification.version = 11"');

  const { exitCode, stderr } = await bootstrap(folder.path, 'start');
  expect(exitCode).toBe(1);
  expect(stderr.trimEnd().split('\n').slice(1)).toEqual([
    expect.stringContaining('Python 3.11'),
    expect.stringContaining('a JDK 17'),
  ]);
});

it('refuses an unknown command or option with the help and exit code 2', async () => {
  await using folder = await scratchFolder();
  for (const [args, complaint] of [
    [['begin'], 'unknown command "begin"'],
    [['start', '--twice'], '"start" has no option "--twice"'],
  ] as const) {
    const { exitCode, stderr } = await bootstrap(folder.path, ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(complaint);
    expect(stderr).toContain('Usage:');
  }
});

it('tells of NUCLEUS_HOME in the help', async () => {
  await using folder = await scratchFolder();
  const { exitCode, stdout } = await bootstrap(folder.path, '--help');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('NUCLEUS_HOME');
});

function command(folder: string, name: string, script: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Runs the bootstrap where the path leads to Node and to the commands of the folder, and to nothing else. */
async function bootstrap(
  folder: string,
  ...args: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const node = join(folder, 'bin', 'node');
  if (!existsSync(node)) symlinkSync(process.execPath, node);
  const child = spawn('node', [join(REPOSITORY_ROOT, 'scripts', 'bootstrap.mjs'), ...args], {
    env: { PATH: join(folder, 'bin'), HOME: folder, NUCLEUS_HOME: join(folder, 'home') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { exitCode: exitCode as number, stdout, stderr };
}
