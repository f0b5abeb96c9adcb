import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunningServer } from '#stack';
import { isGroupAlive } from '../../scripts/setup/process-identity.mjs';
import { startChild } from '../../scripts/stack/child-process.js';
import { type RestartPolicy, type Service, Supervisor } from '../../scripts/start/supervisor.js';
import { scratchFolder } from '../support/folder.js';
import { eventually, isAlive } from './owned-child.js';

const STAYS = 'sleep 600 & echo up; wait';
const ENDS = 'exit 7';
const QUICKLY: RestartPolicy = { maxRestarts: 3, firstDelayMs: 20, stableMs: 60_000 };

it('starts a service again that has died, and ends what the dead one has left', async () => {
  await using folder = await scratchFolder();
  const { supervisor, said } = supervise();
  const starts: RunningServer[] = [];
  const first = await supervisor.start(shell(folder.path, 'worker', STAYS, starts));
  const leftBehind = first.pid;
  await eventually(() => readFileSync(first.logFile, 'utf8').includes('up'));
  process.kill(leftBehind, 'SIGKILL');

  await eventually(() => said.includes('worker is up again'));
  expect(said).toEqual(['worker died: 20 ms', 'worker is up again']);
  expect(isGroupAlive(leftBehind)).toBe(false);
  const second = starts.at(-1)?.pid ?? 0;
  expect(starts.map(({ pid }) => isAlive(pid))).toEqual([false, true]);

  await supervisor.stop([], () => {});
  expect(isAlive(second)).toBe(false);
});

it('gives up after the last restart and says which service it was and where its log is', async () => {
  await using folder = await scratchFolder();
  const { supervisor, said } = supervise();
  const starts: RunningServer[] = [];
  await supervisor.start(shell(folder.path, 'worker', ENDS, starts));

  await expect(supervisor.failed).rejects.toThrow(`worker died 4 times; its log is ${join(folder.path, 'worker.log')}`);
  expect(said.filter((line) => line.includes('died'))).toEqual([20, 40, 80].map((ms) => `worker died: ${ms} ms`));
  expect(starts).toHaveLength(1 + QUICKLY.maxRestarts);
});

it('counts a restart that fails like a death', async () => {
  await using folder = await scratchFolder();
  const { supervisor, said } = supervise();
  let calls = 0;
  await supervisor.start({
    name: 'worker',
    start: (signal) => {
      if (calls++ > 0) throw new Error('the port is taken');
      return shell(folder.path, 'worker', ENDS, []).start(signal);
    },
  });
  await expect(supervisor.failed).rejects.toThrow('worker died 4 times');
  expect(calls).toBe(1 + QUICKLY.maxRestarts);
  expect(said).not.toContain('worker is up again');
});

it('forgets earlier deaths of a service that has lived long enough', async () => {
  await using folder = await scratchFolder();
  const { supervisor, said } = supervise({ ...QUICKLY, stableMs: 0 });
  const starts: RunningServer[] = [];
  // Every one of them lives for a moment, which the policy calls stable.
  await supervisor.start(shell(folder.path, 'worker', 'sleep 0.05', starts));

  await eventually(() => starts.length > 1 + QUICKLY.maxRestarts);
  await supervisor.stop([], () => {});
  expect(new Set(said)).toEqual(new Set(['worker died: 20 ms', 'worker is up again']));
});

it('does not try again when the very first start fails', async () => {
  const { supervisor, said } = supervise();
  let calls = 0;
  const start = () => {
    calls += 1;
    return Promise.reject(new Error('wrong password'));
  };
  await expect(supervisor.start({ name: 'worker', start })).rejects.toThrow('wrong password');
  expect([calls, said]).toEqual([1, []]);
});

it('stops the named services one after the other in the given order, then the others', async () => {
  await using folder = await scratchFolder();
  const { supervisor } = supervise();
  const names = ['database', 'extra', 'api', 'worker'];
  const services = await Promise.all(
    names.map(async (name) => ({ name, ...(await supervisor.start(shell(folder.path, name, STAYS, []))) })),
  );
  const livingAtStopOf: Record<string, string[]> = {};
  await supervisor.stop(['api', 'worker', 'database'], (name) => {
    livingAtStopOf[name] = services.filter(({ pid }) => isAlive(pid)).map((service) => service.name);
  });
  expect(Object.entries(livingAtStopOf)).toEqual([
    ['api', ['database', 'extra', 'api', 'worker']],
    ['worker', ['database', 'extra', 'worker']],
    ['database', ['database', 'extra']],
    ['extra', ['extra']],
  ]);
  expect(services.filter(({ pid }) => isAlive(pid))).toEqual([]);
});

it('starts nothing again once it is being stopped, not even what waits for its restart', async () => {
  await using folder = await scratchFolder();
  const { supervisor, said } = supervise({ ...QUICKLY, firstDelayMs: 600_000 });
  const starts: RunningServer[] = [];
  await supervisor.start(shell(folder.path, 'worker', ENDS, starts));
  await eventually(() => said.includes('worker died: 600000 ms'));

  await supervisor.stop(['worker'], (name) => said.push(`stopping ${name}`));
  expect(starts).toHaveLength(1);
  expect(said).toEqual(['worker died: 600000 ms']);
});

function supervise(policy = QUICKLY): { supervisor: Supervisor; said: string[] } {
  const said: string[] = [];
  const events = {
    onDied: (name: string, _logFile: string, delayMs: number) => said.push(`${name} died: ${delayMs} ms`),
    onRestarted: (name: string) => said.push(`${name} is up again`),
  };
  return { supervisor: new Supervisor(events, policy), said };
}

/** A service that is a shell script; it counts as ready at once. */
function shell(folder: string, name: string, script: string, starts: RunningServer[]): Service {
  return {
    name,
    start: async () => {
      const child = await startChild({
        name,
        command: '/bin/sh',
        args: ['-c', script],
        env: { PATH: process.env.PATH ?? '' },
        cwd: folder,
        logFile: join(folder, `${name}.log`),
        recordFile: join(folder, `${name}.pid.json`),
      });
      const running = { ...child, [Symbol.asyncDispose]: child.stop };
      starts.push(running);
      return running;
    },
  };
}
