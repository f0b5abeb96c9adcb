import { execFile } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SystemUser } from './postgres-user.js';
import { serverEnvironment } from './server-options.js';
import { StackError } from './stack-error.js';

const run = promisify(execFile);

export interface ClusterOptions {
  /** Folder that holds the cluster. */
  readonly dataDir: string;
  /** Folder with bin, lib and share. */
  readonly native: string;
  /** Password of the superuser `postgres`. */
  readonly password: string;
  readonly fsync: boolean;
  readonly user: SystemUser | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes a cluster unless there is one. It is made beside its place and renamed, so that a broken-off attempt is not taken for one.
 * @returns folder of the cluster
 * @throws StackError CHILD_EXITED with what initdb said
 */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const cluster = join(options.dataDir, 'cluster');
  if (existsSync(join(cluster, 'PG_VERSION'))) {
    removeForeignLock(cluster);
    return cluster;
  }
  const draft = join(options.dataDir, 'cluster.new');
  const passwordFile = join(options.dataDir, 'initdb-password');
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (options.user) {
    for (const path of [options.dataDir, draft, passwordFile]) chownSync(path, options.user.uid, options.user.gid);
  }
  const args = ['-D', draft, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8'];
  // The built-in locale sorts the same on every machine and needs nothing of the system.
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  if (!options.fsync) args.push('--no-sync');
  try {
    await run(join(options.native, 'bin', 'initdb'), args, {
      env: serverEnvironment(),
      cwd: options.dataDir,
      ...(options.user ? { uid: options.user.uid, gid: options.user.gid } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new StackError(
      'CHILD_EXITED',
      `initdb failed: ${(stderr || String(error)).trim()}`,
      { name: 'initdb' },
      { cause: error },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, cluster);
  return cluster;
}

/**
 * Postgres refuses to start while the pid in its lock file lives, even when, after a restart of the machine or container, that pid
 * belongs to another program. Only then, and only where /proc proves it, the lock is removed; a dead pid is left to Postgres itself.
 */
function removeForeignLock(cluster: string): void {
  const lock = join(cluster, 'postmaster.pid');
  let owner: string;
  try {
    const pid = Number(readFileSync(lock, 'utf8').split('\n')[0]);
    owner = readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return;
  }
  // A postmaster works inside its cluster.
  if (owner !== cluster) rmSync(lock, { force: true });
}
