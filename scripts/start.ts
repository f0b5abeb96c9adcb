import { relative } from 'node:path';
import { REPOSITORY_ROOT, reapRecorded, StackError } from '#stack';
import { addressesOf, printAddresses } from './demo/addresses.js';
import { resultTable } from './demo/result-table.js';
import { runDemo } from './demo/run-demo.js';
import { createLiveRegion } from './setup/live-region.mjs';
import { tryLock } from './setup/process-lock.mjs';
import { EnvironmentError, readGivenServers } from './start/environment.js';
import { launchStack, type StackPlan } from './start/launch-stack.js';
import { LAYOUT, STOP_ORDER } from './start/layout.js';
import { choosePorts } from './start/ports.js';
import { loadSecrets } from './start/secrets.js';
import { createStartReport, type StartReport } from './start/start-report.js';
import { RESTART_POLICY, Supervisor, type SupervisorEvents } from './start/supervisor.js';

export interface StartOptions {
  /** Stop everything after the table. */
  readonly once: boolean;
  /** The table as JSON on standard output, everything else on standard error. */
  readonly json: boolean;
}

const INTERRUPTED = 130;

/** Resolves when the user wants the stack to end. */
function interruption(report: StartReport): { signal: AbortSignal; interrupted: Promise<void> } {
  const controller = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (controller.signal.aborted) report.line('Still stopping; every part has a limited time to end.');
        controller.abort(new Error(`interrupted by ${name}`));
        resolve();
      });
    }
  });
  return { signal: controller.signal, interrupted };
}

/** Failures that a user can act on are told in their own words; anything else is a bug, and its stack helps. */
function describe(error: unknown): string {
  if (error instanceof StackError || error instanceof EnvironmentError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function planStack(supervisor: Supervisor, signal: AbortSignal, report: StartReport): Promise<StackPlan> {
  const given = readGivenServers(process.env);
  const left = await reapRecorded(LAYOUT.run, STOP_ORDER, (name) =>
    report.line(`Ending ${name}, left by an earlier start`),
  );
  if (left.length > 0) report.line(`An earlier start had been killed; ended what it left: ${left.join(', ')}`);
  const ports = await choosePorts(LAYOUT.ports, given.apiPort ? { api: given.apiPort } : {}, (name, taken, chosen) =>
    report.line(`Port ${taken} is taken; ${name} uses ${chosen}`),
  );
  return {
    given,
    ports,
    secrets: loadSecrets(LAYOUT.secrets),
    supervisor,
    signal,
    onStarting: report.starting,
    onReady: report.ready,
  };
}

/** Launches the stack and runs the demo. @returns exit code so far */
async function work(options: StartOptions, plan: StackPlan, report: StartReport): Promise<number> {
  const startedAt = Date.now();
  const stack = await launchStack(plan);
  report.done();
  const units = await runDemo({ stack, token: plan.given.apiToken, signal: plan.signal, region: report.region });
  const addresses = addressesOf(stack);
  const seconds = (Date.now() - startedAt) / 1000;
  if (options.json) process.stdout.write(`${JSON.stringify({ units, seconds, addresses }, null, 2)}\n`);
  report.line(resultTable(units));
  report.line(`\nFrom start to here: ${seconds.toFixed(1)} s\n`);
  printAddresses(addresses, plan.secrets['neo4j-password'].file, report.line);
  return units.every((unit) => unit.state === 'SUCCEEDED') ? 0 : 1;
}

/**
 * Starts the local stack, runs the demo and, unless `once`, stays up until it is interrupted.
 * @returns exit code: 0, 1 for a failure, 130 when interrupted before the demo had ended
 */
export async function start(options: StartOptions): Promise<number> {
  const report = createStartReport(createLiveRegion(options.json ? process.stderr : process.stdout));
  const lock = tryLock(LAYOUT.lock);
  if (!lock.acquired) {
    report.line(`Nucleus is already running here, pid ${lock.holder.pid}; "npm stop" ends it.`);
    return 1;
  }
  // A reader that went away, as in "npm start | head", must not keep us from stopping the children.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  const { signal, interrupted } = interruption(report);
  const events: SupervisorEvents = {
    onDied: (name, logFile, delayMs) =>
      report.line(`${name} has died, starting it again in ${delayMs / 1000} s (${relative(REPOSITORY_ROOT, logFile)})`),
    onRestarted: (name) => report.line(`${name} is up again`),
  };
  const supervisor = new Supervisor(events, RESTART_POLICY);

  let exitCode = INTERRUPTED;
  try {
    const plan = await planStack(supervisor, signal, report);
    const finished = work(options, plan, report).then((code) => {
      exitCode = code;
    });
    await Promise.race([finished, supervisor.failed, interrupted]);
    if (!options.once && !signal.aborted) {
      report.line('\nEverything stays up. Ctrl-C stops it.');
      await Promise.race([interrupted, supervisor.failed]);
    }
    finished.catch(() => {}); // after an interruption it fails for that reason alone
  } catch (error) {
    report.done();
    if (!signal.aborted) {
      report.line(`\nFailed: ${describe(error)}`);
      exitCode = 1;
    }
  }
  report.done();
  await supervisor.stop(STOP_ORDER, (name) => report.line(`Stopping ${name}`));
  report.line('Stopped.');
  lock.release();
  return exitCode;
}
