import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { StackError } from './stack-error.js';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function idOf(flag: '-u' | '-g', name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

/**
 * The user that Postgres runs as when we are root, because Postgres refuses to be root: `postgres` where the system has it, else `nobody`.
 * @returns undefined when we are not root and Postgres can simply be us
 * @throws StackError MISSING_BINARY when the system has neither
 */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf('-u', name);
    const gid = idOf('-g', name);
    if (uid !== undefined && gid !== undefined) return { name, uid, gid };
  }
  throw new StackError(
    'MISSING_BINARY',
    'Postgres does not run as root, and the system has no user "postgres" or "nobody"; run as an ordinary user instead',
  );
}

function canEnter(folder: string, user: SystemUser): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { uid: user.uid, gid: user.gid });
  return status === 0;
}

/**
 * @throws StackError FOLDER_UNREACHABLE naming the topmost folder that the user may not enter, e.g. a home of root
 */
export function assertReachable(folder: string, user: SystemUser): void {
  if (canEnter(folder, user)) return;
  let blocked = folder;
  for (let parent = dirname(blocked); parent !== blocked && !canEnter(parent, user); parent = dirname(blocked)) {
    blocked = parent;
  }
  throw new StackError(
    'FOLDER_UNREACHABLE',
    `Postgres does not run as root and would run as user "${user.name}", who may not enter ${blocked}. ` +
      'Run as an ordinary user, or move the checkout (or NUCLEUS_HOME) to a folder that every user may enter, ' +
      'or give a Postgres of your own in DEMO_POSTGRES_URL',
    { folder: blocked, user: user.name },
  );
}
