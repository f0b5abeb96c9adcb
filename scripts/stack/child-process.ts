import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess } from '../setup/process-identity.mjs';
import { logTail } from './log-tail.js';
import { type ProcessRecord, stopRecorded, writeRecord } from './process-record.js';
import { StackError } from './stack-error.js';

export interface ChildSpec {
  /** Name for people and for the order of stopping. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** Where its pid is recorded while it runs; see `reapRecorded`. */
  readonly recordFile: string;
  /** User and group to run as; ours when absent. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** @default 'SIGTERM' */
  readonly stopSignal?: NodeJS.Signals;
  /** @default 15_000 */
  readonly stopTimeoutMs?: number;
}

interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child in a process group of its own, so that a Ctrl-C meant for us does not reach it and its own children end with it. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Size of the log when this child was started. */
  readonly logOffset: number;
  /** Settles when the child has ended, never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Ends the child and everything in its group; repeated calls wait for the same end. */
  stop(): Promise<void>;
}

const MAX_LOG_BYTES = 10_000_000;

/** Keeps one earlier log, so that a stack that is started every day does not fill the disk. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/**
 * Starts a child and records its pid.
 * @throws StackError MISSING_BINARY when the command can not be run
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const log = openLog(spec.logFile);
  const logOffset = fstatSync(log).size;
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    // Straight into the file: a pipe through us would break when we are killed, and take the child's log with it.
    stdio: ['ignore', log, log],
    ...(spec.user ?? {}),
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw new StackError(
      'MISSING_BINARY',
      `${spec.name}: ${spec.command} can not be run: ${cause.message}`,
      {},
      { cause },
    );
  }
  const record: ProcessRecord = {
    // A child that has ended already has no identity any more; the caller learns of it from `exited`.
    ...(identifyProcess(pid) ?? { pid, startedAt: 'ended' }),
    name: spec.name,
    stopSignal: spec.stopSignal ?? 'SIGTERM',
    stopTimeoutMs: spec.stopTimeoutMs ?? 15_000,
  };
  writeRecord(spec.recordFile, record);

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    await stopRecorded(record);
    await exited;
    rmSync(spec.recordFile, { force: true });
  };
  return {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    logOffset,
    exited,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

export interface ReadyOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

const PROBE_INTERVAL_MS = 100;

/**
 * Asks the child until it answers. When it does not, the child is stopped and the error ends with the tail of its log.
 * @param probe resolves when the child is ready, rejects when not yet; a StackError from it is final
 * @throws StackError CHILD_EXITED, NOT_READY or ABORTED, or what the probe has thrown
 */
export async function untilReady<T>(child: Child, probe: () => Promise<T>, options: ReadyOptions): Promise<T> {
  const deadline = Date.now() + options.deadlineMs;
  let exit: ChildExit | undefined;
  void child.exited.then((value) => {
    exit = value;
  });
  let lastCause: unknown;
  try {
    for (;;) {
      if (options.signal?.aborted) throw new StackError('ABORTED', `${child.name}: start was given up`);
      if (exit) throw exitedEarly(child, exit);
      if (Date.now() > deadline) throw notReady(child, options.deadlineMs, lastCause);
      try {
        return await probe();
      } catch (error) {
        if (error instanceof StackError) throw error;
        lastCause = error;
      }
      await sleep(PROBE_INTERVAL_MS);
    }
  } catch (error) {
    await child.stop();
    throw error;
  }
}

function exitedEarly(child: Child, exit: ChildExit): StackError {
  const how = exit.signal ? `signal ${exit.signal}` : `exit code ${exit.code}`;
  return new StackError(
    'CHILD_EXITED',
    `${child.name} ended before it was ready (${how}). Its log ${child.logFile} ends with:\n${logTail(child.logFile, child.logOffset)}`,
    { name: child.name, exit: how, logFile: child.logFile },
  );
}

function notReady(child: Child, deadlineMs: number, cause: unknown): StackError {
  const why = cause instanceof Error ? ` (last answer: ${cause.message})` : '';
  return new StackError(
    'NOT_READY',
    `${child.name} was not ready within ${deadlineMs / 1000} s${why}. Its log ${child.logFile} ends with:\n${logTail(child.logFile, child.logOffset)}`,
    { name: child.name, deadlineMs, logFile: child.logFile },
    { cause },
  );
}
