import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock } from '../setup/process-lock.mjs';
import { RECORD_SUFFIX, reapRecorded } from './process-record.js';

const LOCK = 'owner.lock';
const RECORDS = 'run';

/** A folder that ends with the run that it belongs to, together with every process recorded in it. Disposing does both. */
export interface RunFolder extends AsyncDisposable {
  readonly path: string;
  /** Where the processes of the run record their pids. */
  readonly recordDir: string;
  /** Folder and record file of one server, as the start functions take them. */
  place(name: string): { dataDir: string; recordFile: string };
}

/** Ends the processes and removes the folders of runs that were killed. */
async function clearKilledRuns(parent: string, prefix: string): Promise<void> {
  for (const entry of readdirSync(parent).filter((name) => name.startsWith(prefix))) {
    const folder = join(parent, entry);
    try {
      // Without a lock it is not a folder of ours, whatever its name.
      if (!existsSync(join(folder, LOCK))) continue;
      const owner = tryLock(join(folder, LOCK));
      if (!owner.acquired) continue;
      await reapRecorded(join(folder, RECORDS));
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // The folder of another user is that user's to clear.
      if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/**
 * A new folder under `parent`, after those of killed runs with the same prefix were cleared away.
 * @param prefix start of the folder's name, which tells this kind of run from others
 */
export async function openRunFolder(parent: string, prefix: string): Promise<RunFolder> {
  mkdirSync(parent, { recursive: true });
  await clearKilledRuns(parent, prefix);
  const path = mkdtempSync(join(parent, prefix));
  // Postgres runs as another user when we are root, and must be able to reach its data.
  chmodSync(path, 0o711);
  tryLock(join(path, LOCK));
  const recordDir = join(path, RECORDS);
  return {
    path,
    recordDir,
    place: (name) => ({ dataDir: join(path, name), recordFile: join(recordDir, `${name}${RECORD_SUFFIX}`) }),
    [Symbol.asyncDispose]: async () => {
      await reapRecorded(recordDir);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
