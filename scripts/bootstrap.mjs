#!/usr/bin/env node
// Runs on a fresh clone, before anything is installed: nothing but Node itself may be imported at the top of this file.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPrerequisites } from './setup/prerequisites.mjs';
import { runSetup } from './setup/run-setup.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const HELP = `Usage: npm <command> [-- options]          (or: node scripts/bootstrap.mjs <command> [options])

Each command first checks the prerequisites (Node 20.19+, Python 3.11+, JDK 17, Maven) and installs what is
missing: npm packages, Python packages into .venv, jars into .nucleus/jars, and beside them an archive of the classes
of Neo4j, with which it starts faster. Nothing outside the checkout changes, except the caches of npm, pip and Maven.

Commands
  start     Start Neo4j, Temporal, a demo Postgres, the API and the workers, ingest the demo data through the
            GraphQL API, show the result and stay up until Ctrl-C.
              --once   stop everything after the table; exit code 0, or 1 with the cause
              --json   print the table as JSON on standard output, everything else on standard error
  stop      End a running "start", or what a killed one has left behind.
  test      Run every test, TypeScript and Python, on servers of their own.
              [-- arguments]   run only these tests of vitest, e.g. "npm test -- test/kv"; skips Python's
  run test:soak  The long forms of some tests: minutes to hours, on servers of their own.
  run bench Measure against the baselines of bench/; "npm run bench -- --help" tells how.
  verify    What CI runs: lint, types, boundaries, unused code, ruff, mypy, then the tests.
  --help    This text.

Servers that are used instead of started, when given in the environment
  NEO4J_URI            with NEO4J_USER (neo4j) and NEO4J_PASSWORD or NEO4J_PASSWORD_FILE
  TEMPORAL_ADDRESS     host:port, with TEMPORAL_NAMESPACE (nucleus), which must exist
  DEMO_POSTGRES_URL    postgresql://user:password@host:port/database; the demo tables are made in its schema "public"
Also read: PORT (4000) of the API, NUCLEUS_API_TOKEN, LOG_LEVEL.

Everything listens on 127.0.0.1. Data, logs, secrets and pid records of "start" are in .nucleus/ (delete it to start
over), or in the folder that NUCLEUS_HOME names, seen from the checkout: with another folder, a second stack can run
beside the first. What the set-up installs stays in the checkout.
`;

/** @typedef {{ command: string, flags: Set<string>, rest: string[] }} Invocation */

/** @type {Record<string, string[]>} */
const FLAGS = { start: ['--once', '--json'], stop: [], test: [], verify: [], bench: [] };

/**
 * @param {string[]} argv
 * @returns {Invocation | 'help' | { error: string }}
 */
function parse(argv) {
  const [command, ...args] = argv;
  if (command === 'bench') return { command, flags: new Set(), rest: args.filter((arg) => arg !== '--') };
  if (
    args.includes('--help') ||
    args.includes('-h') ||
    command === undefined ||
    command === '--help' ||
    command === '-h'
  ) {
    return 'help';
  }
  const allowed = FLAGS[command];
  if (!allowed) return { error: `unknown command "${command}"` };
  if (command === 'test') return { command, flags: new Set(), rest: args.filter((arg) => arg !== '--') };
  const unknown = args.find((arg) => !allowed.includes(arg));
  if (unknown) return { error: `"${command}" has no option "${unknown}"` };
  return { command, flags: new Set(args), rest: [] };
}

/** @returns {Promise<boolean>} whether everything is in place */
async function prepare() {
  const { tools, missing } = checkPrerequisites();
  if (!tools) {
    process.stderr.write(`Missing:\n${missing.map((line) => `  ${line}\n`).join('')}`);
    return false;
  }
  const failures = await runSetup(ROOT, tools);
  if (failures.length > 0) {
    process.stderr.write(`\nSet-up failed; what was finished is kept.\n\n${failures.join('\n\n')}\n`);
    return false;
  }
  // Neo4j, and pyspark in the Python worker, find their Java here.
  process.env.JAVA_HOME = tools.javaHome;
  // From here on TypeScript can be loaded, in this same process: signals and exit codes need no forwarding.
  const { register } = await import('tsx/esm/api');
  register();
  return true;
}

/**
 * @param {Invocation} invocation
 * @returns {Promise<number>} exit code
 */
async function run({ command, flags, rest }) {
  if (command === 'stop' && !(await canLoadTypeScript())) {
    process.stderr.write('Nothing was ever set up here, so nothing runs.\n');
    return 0;
  }
  if (command !== 'stop' && !(await prepare())) {
    if (command === 'test' || command === 'verify') process.stdout.write('0 passed, 1 failed\n');
    return 1;
  }
  switch (command) {
    case 'start':
      return (await import('./start.js')).start({ once: flags.has('--once'), json: flags.has('--json') });
    case 'stop':
      return (await import('./stop.js')).stop();
    case 'test':
      return (await import('./test.js')).test(rest);
    case 'bench':
      return (await import('../bench/run.js')).bench(rest);
    default:
      return (await import('./verify.js')).verify();
  }
}

/** `stop` must also work when the checks or the set-up would fail, so it does without them. */
async function canLoadTypeScript() {
  try {
    const { register } = await import('tsx/esm/api');
    register();
    return true;
  } catch {
    return false;
  }
}

const invocation = parse(process.argv.slice(2));
if (invocation === 'help') {
  process.stdout.write(HELP);
} else if ('error' in invocation) {
  process.stderr.write(`${invocation.error}\n\n${HELP}`);
  process.exitCode = 2;
} else {
  process.exitCode = await run(invocation);
}
