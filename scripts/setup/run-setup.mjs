import { join, relative } from 'node:path';
import { createLiveRegion } from './live-region.mjs';
import { waitForLock } from './process-lock.mjs';
import { endLeftTools, ToolFailure } from './run-tool.mjs';
import { setupSteps } from './steps.mjs';

/** @typedef {import('./steps.mjs').Step} Step */
/** @typedef {{ step: Step, startedAt: number, progress: string, endedAt?: number, failed?: boolean }} Running */

const REDRAW_MS = 200;
const PLAIN_REPORT_MS = 15_000;

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(0)} s`;
}

/** @param {Running} running */
function statusLine({ step, startedAt, progress, endedAt, failed }) {
  const state = failed ? 'failed' : endedAt ? 'done' : progress;
  return `  ${step.name.padEnd(18)} ${seconds((endedAt ?? Date.now()) - startedAt).padStart(6)}  ${state}`;
}

/**
 * @param {string} root
 * @param {Step} step
 * @param {unknown} error
 */
function describeFailure(root, step, error) {
  if (!(error instanceof ToolFailure)) return `${step.name}: ${error instanceof Error ? error.stack : String(error)}`;
  const { logFile, tail } = error.details;
  const lines = tail.map((line) => `    ${line}`).join('\n');
  return `${step.name}: ${error.message}. ${relative(root, logFile)} ends with:\n${lines}\n  ${step.onFailure}`;
}

/**
 * Runs the steps that are not done yet, side by side as far as none needs another; they wait for the network most of the time.
 * @param {string} root
 * @param {Step[]} steps
 * @returns {Promise<string[]>} what failed, for people
 */
export async function runSteps(root, steps) {
  const region = createLiveRegion(process.stderr);
  const all = steps.map((step) => /** @type {Running} */ ({ step, startedAt: Date.now(), progress: 'starting' }));
  const redraw = setInterval(() => region.draw(all.map(statusLine)), REDRAW_MS);
  const report = setInterval(() => {
    if (region.isLive) return;
    for (const running of all) if (!running.endedAt) region.print(statusLine(running));
  }, PLAIN_REPORT_MS);
  /** @type {string[]} */
  const failures = [];
  /** @type {Map<string, Promise<boolean>>} by the names of those that are run: whether they succeeded */
  const ends = new Map();
  /** @param {Running} running */
  const run = async (running) => {
    const { step } = running;
    running.progress = 'waiting';
    const before = await Promise.all(step.after.map((name) => ends.get(name) ?? true));
    running.startedAt = Date.now();
    running.progress = 'starting';
    try {
      // The failure of those before is told already.
      if (before.every(Boolean)) {
        await step.run((progress) => {
          running.progress = progress;
        });
      } else running.failed = true;
    } catch (error) {
      running.failed = true;
      failures.push(describeFailure(root, step, error));
    }
    running.endedAt = Date.now();
    if (!region.isLive) region.print(statusLine(running));
    return !running.failed;
  };
  // In their order, in which each stands after those that it needs.
  for (const running of all) ends.set(running.step.name, run(running));
  await Promise.all(ends.values());
  clearInterval(redraw);
  clearInterval(report);
  region.draw(all.map(statusLine));
  return failures;
}

/**
 * Brings the checkout to a state in which everything can start; needs no network when it is in that state already.
 * @param {string} root
 * @param {import('./prerequisites.mjs').Tools} tools
 * @returns {Promise<string[]>} what failed, for people; empty when all is well
 */
export async function runSetup(root, tools) {
  const openSteps = () => setupSteps(root, tools).filter((step) => !step.isDone());
  if (openSteps().length === 0) return [];
  const release = await waitForLock(join(root, '.nucleus', 'run', 'setup.lock'), (holder) => {
    process.stderr.write(`Another set-up of this checkout is running (pid ${holder.pid}); waiting for it.\n`);
  });
  try {
    endLeftTools(root);
    const steps = openSteps(); // the one we waited for may have done them
    if (steps.length === 0) return [];
    process.stderr.write(`Setting up: ${steps.map((step) => step.name).join(', ')}\n`);
    return await runSteps(root, steps);
  } finally {
    release();
  }
}
