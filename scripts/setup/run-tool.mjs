import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { identifyProcess, isIdentity, isRunning } from './process-identity.mjs';

const TAIL_LINES = 15;

/** A tool of the set-up that failed, with the end of what it said. */
export class ToolFailure extends Error {
  /**
   * @param {string} message
   * @param {{ logFile: string, tail: string[] }} details
   */
  constructor(message, details) {
    super(message);
    this.name = 'ToolFailure';
    this.details = details;
  }
}

const TOOL_RECORD = /^setup-tool-\d+\.json$/;

/** @param {string} root */
function runFolder(root) {
  return join(root, '.nucleus', 'run');
}

/** @param {string} file @returns undefined when a crash has left the file empty or torn */
function readIdentity(file) {
  try {
    const identity = JSON.parse(readFileSync(file, 'utf8'));
    return isIdentity(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Ends tools that a killed set-up has left running: they would go on writing into folders that are about to be made anew.
 * Only for the holder of the set-up lock.
 * @param {string} root
 */
export function endLeftTools(root) {
  const folder = runFolder(root);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder).filter((name) => TOOL_RECORD.test(name))) {
    const file = join(folder, entry);
    const identity = readIdentity(file);
    if (identity && isRunning(identity)) process.kill(identity.pid, 'SIGKILL');
    rmSync(file, { force: true });
  }
}

/**
 * Runs a tool to its end, with all it says appended to a log.
 * @param {object} options
 * @param {string} options.command
 * @param {string[]} options.args
 * @param {string} options.root working folder of the tool
 * @param {string} options.logFile
 * @param {NodeJS.ProcessEnv} options.env
 * @param {(line: string) => void} options.onLine
 * @returns {Promise<void>} rejects with ToolFailure
 */
export async function runTool({ command, args, root, logFile, env, onLine }) {
  mkdirSync(dirname(logFile), { recursive: true });
  appendFileSync(logFile, `$ ${command} ${args.join(' ')}\n`);
  /** @type {string[]} */
  const tail = [];
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const record = join(runFolder(root), `setup-tool-${child.pid}.json`);
  const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
  if (identity) writeFileSync(record, JSON.stringify(identity));
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      appendFileSync(logFile, `${line}\n`);
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine(line);
    });
  }
  const how = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : signal ? `signal ${signal}` : `exit code ${code}`));
  });
  rmSync(record, { force: true });
  if (how) throw new ToolFailure(`${command} failed (${how})`, { logFile, tail });
}
