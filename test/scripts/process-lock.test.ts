import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { tryLock, waitForLock } from '../../scripts/setup/process-lock.mjs';
import { scratchFolder } from '../support/folder.js';

const MODULE = new URL('../../scripts/setup/process-lock.mjs', import.meta.url).href;
// Says what came of the attempt and then stays: until its input ends, or until it is killed.
const HOLDER = `
  import { tryLock } from '${MODULE}';
  const attempt = tryLock(process.argv[1]);
  console.log(JSON.stringify(attempt));
  process.stdin.resume().once('end', () => attempt.release?.());
`;

const RACES = 200;
// Goes for one lock after the other, each at a moment of the clock that all rivals share, and says which it has won.
const RIVAL = `
  import { once } from 'node:events';
  import { tryLock } from '${MODULE}';
  console.log('loaded');
  process.stdin.setEncoding('utf8');
  const [startAt] = await once(process.stdin, 'data');
  const won = [];
  for (let race = 0; race < ${RACES}; race++) {
    while (Date.now() < Number(startAt) + 2 * race);
    if (tryLock(process.argv[1] + '/' + race + '.lock').acquired) won.push(race);
  }
  console.log(JSON.stringify(won));
  process.stdin.resume(); // a rival that ends leaves dead locks, which others may rightly take
`;

interface Holder {
  readonly process: ChildProcess;
  readonly attempt: { readonly acquired: boolean; readonly holder?: { readonly pid: number } };
  end(): Promise<void>;
}

async function hold(path: string): Promise<Holder> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const end = async () => {
    const exited = once(child, 'exit');
    child.stdin.end();
    await exited;
  };
  return { process: child, attempt: JSON.parse(line) as Holder['attempt'], end };
}

it('tells the second the pid of the holder', async () => {
  await using folder = await scratchFolder();
  const path = join(folder.path, 'run', 'lock');
  const first = await hold(path);
  expect(first.attempt.acquired).toBe(true);

  expect(tryLock(path)).toMatchObject({ acquired: false, holder: { pid: first.process.pid } });
  await first.end();
});

it('is free again once released', async () => {
  await using folder = await scratchFolder();
  const path = join(folder.path, 'lock');
  const first = tryLock(path);
  if (!first.acquired) throw new Error('a new lock is taken');
  expect(tryLock(path)).toMatchObject({ acquired: false, holder: { pid: process.pid } });
  first.release();
  expect(existsSync(path)).toBe(false);
  expect(tryLock(path).acquired).toBe(true);
});

it('is waited for, and the waiting is told once', async () => {
  await using folder = await scratchFolder();
  const path = join(folder.path, 'lock');
  const first = await hold(path);
  const told: number[] = [];
  const waiting = waitForLock(path, (holder) => told.push(holder.pid));
  await first.end();
  const release = await waiting;
  expect(told).toEqual([first.process.pid]);
  expect(tryLock(path)).toMatchObject({ acquired: false, holder: { pid: process.pid } });
  release();
});

it('is taken over from a process that was killed', async () => {
  await using folder = await scratchFolder();
  const path = join(folder.path, 'lock');
  const dead = await hold(path);
  const exited = once(dead.process, 'exit');
  dead.process.kill('SIGKILL');
  await exited;
  expect(existsSync(path)).toBe(true);

  expect(tryLock(path).acquired).toBe(true);
});

it('is taken over by exactly one of many that find its holder dead at the same moment', async () => {
  await using folder = await scratchFolder();
  const locks = Array.from({ length: RACES }, (_, race) => join(folder.path, `${race}.lock`));
  for (const lock of locks) writeFileSync(lock, JSON.stringify({ pid: process.pid, startedAt: 'earlier-boot:1' }));
  const rivals = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', RIVAL, folder.path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return { child, lines: createInterface({ input: child.stdout }) };
  });
  await Promise.all(rivals.map(({ lines }) => once(lines, 'line'))); // all are loaded
  const won = Promise.all(rivals.map(({ lines }) => once(lines, 'line')));
  const startAt = Date.now() + 50;
  for (const { child } of rivals) child.stdin.write(`${startAt}\n`);
  const winners = (await won).flatMap(([line]) => JSON.parse(line as string) as number[]);
  for (const { child } of rivals) child.stdin.end();

  expect(winners.toSorted((a, b) => a - b)).toEqual(locks.map((_, race) => race));
});

it.each([
  ['empty', ''],
  ['torn', '{"pid":1'],
  ['of another boot, its pid living again', JSON.stringify({ pid: process.pid, startedAt: 'earlier-boot:1' })],
])('is taken over from a file that is %s', async (_, content) => {
  await using folder = await scratchFolder();
  const path = join(folder.path, 'lock');
  writeFileSync(path, content);
  expect(tryLock(path).acquired).toBe(true);
});
