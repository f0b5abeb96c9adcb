import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * A process named so that a reused pid is never taken for it: pid plus the moment it started, as the kernel tells it.
 * @typedef {{ pid: number, startedAt: string }} ProcessIdentity
 */

const onLinux = process.platform === 'linux';

/**
 * Fields of /proc/<pid>/stat behind the command name, which may itself hold spaces and parentheses.
 * @param {number} pid
 * @returns {{ state: string, group: number, startTicks: string } | undefined} undefined when there is no such process
 */
function readStat(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', group: Number(fields[2]), startTicks: fields[19] ?? '' };
}

/** @param {string} state a zombie has ended; only its parent has not looked yet */
function hasEnded(state) {
  return state.startsWith('Z') || state.startsWith('X');
}

/** @param {string[]} args */
function ps(args) {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return ''; // ps exits with 1 when nothing matches
  }
}

/**
 * @param {number} pid
 * @returns {ProcessIdentity | undefined} undefined when no such process runs
 */
export function identifyProcess(pid) {
  if (onLinux) {
    const stat = readStat(pid);
    if (!stat || hasEnded(stat.state)) return undefined;
    // Ticks count from boot, so without the boot id an identity could fit another process after a restart of the machine.
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startedAt: `${bootId}:${stat.startTicks}` };
  }
  const line = ps(['-o', 'stat=,lstart=', '-p', String(pid)]);
  const [state, ...start] = line.split(/\s+/);
  if (!state || hasEnded(state)) return undefined;
  return { pid, startedAt: start.join(' ') };
}

/**
 * Whether a value read from a file names a process. Process 1 is nobody's child, and its number means "all" to some system calls.
 * @param {{ pid?: unknown, startedAt?: unknown } | null | undefined} value
 * @returns {value is ProcessIdentity}
 */
export function isIdentity(value) {
  return Number.isInteger(value?.pid) && Number(value?.pid) > 1 && typeof value?.startedAt === 'string';
}

/**
 * @param {ProcessIdentity} identity
 * @returns {boolean} whether exactly this process still runs
 */
export function isRunning(identity) {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/**
 * @param {number} group process group id
 * @returns {boolean} whether a living process belongs to the group
 */
export function isGroupAlive(group) {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return false;
  }
  // The signal also reaches zombies, and where process 1 does not collect orphans they stay for ever.
  if (onLinux) {
    return readdirSync('/proc').some((entry) => {
      const stat = /^\d+$/.test(entry) ? readStat(Number(entry)) : undefined;
      return stat?.group === group && !hasEnded(stat.state);
    });
  }
  return ps(['-axo', 'pgid=,stat='])
    .split('\n')
    .some((line) => {
      const [pgid, state = 'Z'] = line.trim().split(/\s+/);
      return Number(pgid) === group && !hasEnded(state);
    });
}
