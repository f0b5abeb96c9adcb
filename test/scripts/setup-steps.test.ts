import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identifyProcess } from '../../scripts/setup/process-identity.mjs';
import { endLeftTools } from '../../scripts/setup/run-tool.mjs';
import { setupSteps } from '../../scripts/setup/steps.mjs';
import { scratchFolder } from '../support/folder.js';
import { isAlive } from './owned-child.js';

const POMS = ['neo4j', 'spark', 'openlineage', 'kafka', 'hadoop'].map((name) => `scripts/stack/poms/${name}.xml`);
const LOCK = 'python-bridge/requirements.lock';

describe('jars', () => {
  it('are done after a whole run, and not before', async () => {
    await using checkout = await smallCheckout();
    const { jars } = checkout;
    expect(jars.isDone()).toBe(false);
    await jars.run(() => {});
    expect(jars.isDone()).toBe(true);
    expect(checkout.jarsIn('neo4j/lib')).toEqual(['some.jar']);
    expect(checkout.jarsIn('neo4j/plugins')).toEqual(['some.jar']);
    expect(checkout.jarsIn('spark')).toEqual(['some.jar']);
  });

  it('are made again when a run broke off half-way, from where it broke off', async () => {
    await using checkout = await smallCheckout();
    const { jars } = checkout;
    checkout.write('fail-at', 'plugins');
    await expect(jars.run(() => {})).rejects.toThrow('exit code 1');
    expect(jars.isDone()).toBe(false);
    // Half a set is not where a server would take it for a whole one.
    expect(existsSync(join(checkout.jarsFolder, 'neo4j'))).toBe(false);

    rmSync(join(checkout.path, 'fail-at'));
    await jars.run(() => {});
    expect(jars.isDone()).toBe(true);
  });

  it('are made again when a pom has changed, the others not', async () => {
    await using checkout = await smallCheckout();
    await checkout.jars.run(() => {});
    checkout.write('calls', '');
    checkout.write(POMS[1] ?? '', '<project>newer</project>');
    expect(checkout.jars.isDone()).toBe(false);

    await checkout.jars.run(() => {});
    expect(checkout.jars.isDone()).toBe(true);
    expect(checkout.read('calls').trim().split('\n')).toEqual([expect.stringContaining('spark.xml')]);
  });

  it('keep the earlier set when a newer one can not be fetched', async () => {
    await using checkout = await smallCheckout();
    await checkout.jars.run(() => {});
    checkout.write(POMS[0] ?? '', '<project>newer</project>');
    checkout.write('fail-at', 'lib');
    await expect(checkout.jars.run(() => {})).rejects.toThrow('exit code 1');
    expect(checkout.jars.isDone()).toBe(false);
    expect(checkout.jarsIn('neo4j/lib')).toEqual(['some.jar']);
  });

  it('are made again when someone has removed them', async () => {
    await using checkout = await smallCheckout();
    await checkout.jars.run(() => {});
    rmSync(join(checkout.jarsFolder, 'spark'), { recursive: true });
    expect(checkout.jars.isDone()).toBe(false);
  });
});

describe('Python packages', () => {
  it('are made again when a run broke off half-way, or the lock file has changed', async () => {
    await using checkout = await smallCheckout();
    const { python } = checkout;
    checkout.write('fail-at', 'requirements.lock');
    await expect(python.run(() => {})).rejects.toThrow('exit code 1');
    expect(existsSync(join(checkout.path, '.venv', 'bin', 'python'))).toBe(true);
    expect(python.isDone()).toBe(false);

    rmSync(join(checkout.path, 'fail-at'));
    await python.run(() => {});
    expect(python.isDone()).toBe(true);

    checkout.write(LOCK, '# none, but other ones\n');
    expect(python.isDone()).toBe(false);
    checkout.write('fail-at', 'requirements.lock');
    await expect(python.run(() => {})).rejects.toThrow('exit code 1');
    // Neither what the new file asks for is there, nor any more what the old one asked for.
    checkout.write(LOCK, '# none\n');
    expect(python.isDone()).toBe(false);
  });
});

describe('npm packages', () => {
  const wanted = { 'node_modules/a': { version: '1.0.0', integrity: 'x' } };
  const foreign = { 'node_modules/b-for-another-platform': { version: '1.0.0', integrity: 'y', optional: true } };
  const cases: [what: string, locked: object, installed: object | undefined, done: boolean][] = [
    ['everything is there', wanted, wanted, true],
    ['only the packages of other platforms are absent', { ...wanted, ...foreign }, wanted, true],
    ['npm has not come to its end', wanted, undefined, false],
    ['a package is absent', wanted, {}, false],
    ['a version has changed', wanted, { 'node_modules/a': { version: '0.9.0', integrity: 'x' } }, false],
    ['a content has changed', wanted, { 'node_modules/a': { version: '1.0.0', integrity: 'z' } }, false],
  ];
  it.each(cases)('%s', async (_, locked, installed, done) => {
    await using checkout = await smallCheckout();
    checkout.write('package-lock.json', JSON.stringify({ packages: { '': {}, ...locked } }));
    if (installed) checkout.write('node_modules/.package-lock.json', JSON.stringify({ packages: installed }));
    expect(checkout.npm.isDone()).toBe(done);
  });
});

describe('tools that a killed set-up has left', () => {
  it('leave a process alone that has got their pid', async () => {
    await using checkout = await smallCheckout();
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
    const pid = Number(stranger.pid);
    checkout.write(`.nucleus/run/setup-tool-${pid}.json`, JSON.stringify({ pid, startedAt: 'earlier' }));
    endLeftTools(checkout.path);
    stranger.kill('SIGTERM');
    // Had it been ended by us, that would have been with SIGKILL.
    expect(await once(stranger, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('are ended, whatever lies beside their records', async () => {
    await using checkout = await smallCheckout();
    const tool = spawn('sleep', ['600'], { stdio: 'ignore' });
    const exited = once(tool, 'exit');
    const pid = Number(tool.pid);
    checkout.write(`.nucleus/run/setup-tool-${pid}.json`, JSON.stringify(identifyProcess(pid)));
    checkout.write('.nucleus/run/setup-tool-1.json', '');
    checkout.write('.nucleus/run/setup-tool-2.json', '{"pid":2');
    checkout.write('.nucleus/run/setup-tool-3.json', '{}');

    endLeftTools(checkout.path);
    await exited;
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(join(checkout.path, '.nucleus', 'run'))).toEqual([]);
  });
});

// These stand where Maven and Python do, because not what the tools do is the point but how their end is dealt with: they do a
// part of their work and then fail when the file "fail-at" holds a word of theirs.
const MAVEN = `#!/bin/sh
echo "$@" >> calls
for argument in "$@"; do case "$argument" in -DoutputDirectory=*) folder="\${argument#*=}";; esac; done
mkdir -p "$folder" && echo jar > "$folder/some.jar"
echo "[INFO] Copying some.jar to $folder"
[ ! -f fail-at ] || ! echo "$folder" | grep -q "$(cat fail-at)"
`;
const PYTHON = `#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; fi
[ ! -f fail-at ] || ! echo "$@" | grep -q "$(cat fail-at)"
`;

/** A folder with those files of a checkout that the set-up reads. */
async function smallCheckout() {
  const folder = await scratchFolder();
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    writeFileSync(join(folder.path, path), content);
  };
  for (const pom of POMS) write(pom, '<project/>');
  write(LOCK, '# none\n');
  const tool = (name: string, script: string) => {
    write(name, script);
    const file = join(folder.path, name);
    chmodSync(file, 0o755);
    return file;
  };
  mkdirSync(join(folder.path, '.nucleus', 'run'), { recursive: true });
  const tools = { python: tool('python', PYTHON), pythonVersion: '3', javaHome: '/', maven: tool('mvn', MAVEN) };
  const step = (name: string) => {
    const found = setupSteps(folder.path, tools).find((candidate) => candidate.name === name);
    if (!found) throw new Error(`the set-up has no step "${name}"`);
    return found;
  };
  const jarsFolder = join(folder.path, '.nucleus', 'jars');
  return {
    path: folder.path,
    npm: step('npm packages'),
    python: step('Python packages'),
    jars: step('jars'),
    jarsFolder,
    jarsIn: (set: string) => readdirSync(join(jarsFolder, set)).filter((entry) => entry.endsWith('.jar')),
    write,
    read: (path: string) => readFileSync(join(folder.path, path), 'utf8'),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  };
}
