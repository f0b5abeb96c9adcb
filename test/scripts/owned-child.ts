import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type ProcessRecord, RECORD_SUFFIX } from '#stack';
import { identifyProcess, isRunning } from '../../scripts/setup/process-identity.mjs';

const DEADLINE = { timeout: 45_000, interval: 50 };

/** Polls until the condition holds; fails after 45 seconds. */
export function eventually<T>(condition: () => T): Promise<NonNullable<Awaited<T>>> {
  return vi.waitUntil(condition, DEADLINE) as Promise<NonNullable<Awaited<T>>>;
}

/** Whether a process runs; one that has ended but was not collected by its parent does not. */
export function isAlive(pid: number): boolean {
  return identifyProcess(pid) !== undefined;
}

/** A recorded child of another process, which the test kills as a crash or `kill -9` would. */
export interface OwnedChild {
  readonly record: ProcessRecord;
  /** The child of the child. */
  readonly grandchild: number;
  killOwner(): Promise<void>;
}

/**
 * @param script shell script of the child; it prints the pid of its own child as its first line
 */
export async function startOwnedChild(folder: string, name: string, script: string): Promise<OwnedChild> {
  const owner = spawn(
    process.execPath,
    ['--import', 'tsx', new URL('./child-owner.ts', import.meta.url).pathname, folder, name, script],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const log = join(folder, `${name}.log`);
  const recordFile = join(folder, `${name}${RECORD_SUFFIX}`);
  const firstLine = await eventually(() => {
    if (owner.exitCode !== null) throw new Error(`the owner of ${name} ended with code ${owner.exitCode}`);
    return existsSync(recordFile) && existsSync(log) && /^(\d+)\n/.exec(readFileSync(log, 'utf8'))?.[1];
  });
  const record = JSON.parse(readFileSync(recordFile, 'utf8')) as ProcessRecord;
  const grandchild = Number(firstLine);
  if (!isRunning(record) || !isAlive(grandchild)) throw new Error(`${name} did not stay up`);
  return { record, grandchild, killOwner: () => kill(owner) };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
