import { setTimeout as sleep } from 'node:timers/promises';
import { reapRecorded } from '#stack';
import { isRunning } from './setup/process-identity.mjs';
import { tryLock } from './setup/process-lock.mjs';
import { LAYOUT, STOP_ORDER } from './start/layout.js';

/** Longer than every part together may take to end. */
const STOP_TIMEOUT_MS = 120_000;

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended since we looked, which is all that was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends a running `npm start`, and what a killed one has left behind.
 * @returns exit code
 */
export async function stop(): Promise<number> {
  const lock = tryLock(LAYOUT.lock);
  if (!lock.acquired) {
    const { holder } = lock;
    process.stdout.write(`Asking "npm start" (pid ${holder.pid}) to stop\n`);
    signal(holder.pid, 'SIGTERM');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isRunning(holder) && Date.now() < deadline) await sleep(100);
    if (isRunning(holder)) signal(holder.pid, 'SIGKILL');
  }
  const ended = await reapRecorded(LAYOUT.run, STOP_ORDER, (name) => process.stdout.write(`Stopping ${name}\n`));
  process.stdout.write(lock.acquired && ended.length === 0 ? 'Nothing was running.\n' : 'Stopped.\n');
  if (lock.acquired) lock.release();
  return 0;
}
