import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, isRunning } from './process-identity.mjs';

/** @typedef {import('./process-identity.mjs').ProcessIdentity} ProcessIdentity */
/** @typedef {{ acquired: true, release: () => void } | { acquired: false, holder: ProcessIdentity }} LockAttempt */

/**
 * @param {string} path
 * @returns {ProcessIdentity | undefined} undefined when the file is absent or holds no identity
 */
function readHolder(path) {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8'));
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Creates `path` with our identity in it, in one step: nobody ever reads a half-written lock.
 * @param {string} path
 * @param {ProcessIdentity} self
 */
function createExclusively(path, self) {
  const draft = `${path}.${self.pid}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(self));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Tries once to become the only holder of a lock file. A lock whose holder has died is taken over; two processes that both find
 * it dead are kept apart by a second file, and the one that comes late sees that the lock has changed hands.
 * @param {string} path
 * @returns {LockAttempt}
 */
export function tryLock(path) {
  const self = identifyProcess(process.pid);
  if (!self) throw new Error('the own process can not be identified: neither /proc nor ps answers');
  mkdirSync(dirname(path), { recursive: true });
  const release = () => {
    const holder = readHolder(path);
    if (holder?.pid === self.pid && holder.startedAt === self.startedAt) rmSync(path, { force: true });
  };
  for (;;) {
    if (createExclusively(path, self)) return { acquired: true, release };
    const holder = readHolder(path);
    if (holder && isRunning(holder)) return { acquired: false, holder };

    const takeover = `${path}.takeover`;
    if (!createExclusively(takeover, self)) {
      const rival = readHolder(takeover);
      if (rival && isRunning(rival)) return { acquired: false, holder: rival };
      rmSync(takeover, { force: true });
      continue;
    }
    try {
      // Released in the meantime: whoever creates it first has it, and a rename would put us beside that one.
      if (!existsSync(path)) continue;
      const now = readHolder(path);
      if (now && isRunning(now)) return { acquired: false, holder: now };
      const draft = `${path}.${self.pid}.${randomUUID()}`;
      writeFileSync(draft, JSON.stringify(self));
      renameSync(draft, path);
      return { acquired: true, release };
    } finally {
      rmSync(takeover, { force: true });
    }
  }
}

/**
 * Waits until the lock is ours.
 * @param {string} path
 * @param {(holder: ProcessIdentity) => void} onWait called once, when another process holds it
 * @returns {Promise<() => void>} releases the lock
 */
export async function waitForLock(path, onWait) {
  for (let told = false; ; told = true) {
    const attempt = tryLock(path);
    if (attempt.acquired) return attempt.release;
    if (!told) onWait(attempt.holder);
    await sleep(500);
  }
}
