import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  identifyProcess,
  isGroupAlive,
  isIdentity,
  isRunning,
  type ProcessIdentity,
} from '../setup/process-identity.mjs';

/** Suffix of record files, so that a run folder may hold other things too. */
export const RECORD_SUFFIX = '.pid.json';

/** What is needed to end a process group after the process that started it was killed. */
export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: NodeJS.Signals;
  /** How long the group may take to end on `stopSignal` before it is killed. */
  readonly stopTimeoutMs: number;
}

const POLL_MS = 50;
const KILL_TIMEOUT_MS = 5_000;

/** Writes the record of a child just started. */
export function writeRecord(file: string, record: ProcessRecord): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.draft`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, file);
}

function readRecord(file: string): ProcessRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined; // torn by a crash of the machine: after that none of its processes lives
  }
}

/** Strict, because a wrong number is dangerous: as a group, 0 means our own and 1 means every process there is. */
function isRecord(value: unknown): value is ProcessRecord {
  const { pid, startedAt, name, stopSignal, stopTimeoutMs } = (value ?? {}) as Partial<ProcessRecord>;
  return (
    isIdentity({ pid, startedAt }) &&
    typeof name === 'string' &&
    typeof stopSignal === 'string' &&
    typeof stopTimeoutMs === 'number'
  );
}

/** Whether the group of a recorded process is still ours: its pid now belonging to another process means that the group has ended. */
function isOurs(record: ProcessRecord): boolean {
  if (isRunning(record)) return true;
  return identifyProcess(record.pid) === undefined && isGroupAlive(record.pid) && startedInThisBoot(record);
}

/** A leader that is gone leaves only its group number; after a restart of the machine that number may be anyone's. */
function startedInThisBoot(record: ProcessRecord): boolean {
  const self = identifyProcess(process.pid);
  return process.platform !== 'linux' || self?.startedAt.split(':')[0] === record.startedAt.split(':')[0];
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function groupEnds(group: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isGroupAlive(group)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/**
 * Ends every process of the recorded group: first asked by its stop signal, then, after `stopTimeoutMs`, killed.
 * @returns whether anything was left to end
 */
export async function stopRecorded(record: ProcessRecord): Promise<boolean> {
  if (!isOurs(record)) return false;
  signalGroup(record.pid, record.stopSignal);
  if (await groupEnds(record.pid, record.stopTimeoutMs)) return true;
  signalGroup(record.pid, 'SIGKILL');
  await groupEnds(record.pid, KILL_TIMEOUT_MS);
  return true;
}

/**
 * Ends what the records in a folder still name, in the given order of names first, and removes the records.
 * @param order names of processes that end before the others, one after the other
 * @returns the names of those that were still there
 */
export async function reapRecorded(
  folder: string,
  order: readonly string[] = [],
  onStopping: (name: string) => void = () => {},
): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder)
    .filter((entry) => entry.endsWith(RECORD_SUFFIX))
    .map((entry) => ({ file: join(folder, entry), record: readRecord(join(folder, entry)) }));
  const rank = (name: string | undefined) => {
    const index = name === undefined ? -1 : order.indexOf(name);
    return index === -1 ? order.length : index;
  };
  found.sort((a, b) => rank(a.record?.name) - rank(b.record?.name));

  const stopped: string[] = [];
  for (const { file, record } of found) {
    if (record && isOurs(record)) {
      onStopping(record.name);
      if (await stopRecorded(record)) stopped.push(record.name);
    }
    rmSync(file, { force: true });
  }
  return stopped;
}
