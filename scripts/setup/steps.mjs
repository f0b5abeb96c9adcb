import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findPostgresPackage, linkPostgresLibraries } from './postgres-libraries.mjs';
import { runTool } from './run-tool.mjs';
import { hashInputs, isStamped, stamp, unstamp } from './stamp.mjs';

/**
 * One part of the set-up. `run` may be broken off at any moment: `isDone` is true only after it came to its end. It needs what the
 * steps have made that are named in `after`.
 * @typedef {{
 *   name: string,
 *   isDone: () => boolean,
 *   run: (report: (progress: string) => void) => Promise<void>,
 *   onFailure: string,
 *   after: string[],
 * }} Step
 */

/** @typedef {import('./prerequisites.mjs').Tools} Tools */

/**
 * @param {string} root
 * @param {string} name
 */
function logOf(root, name) {
  const logFile = join(root, '.nucleus', 'logs', `setup-${name}.log`);
  rmSync(logFile, { force: true });
  return logFile;
}

/**
 * npm's own record of what it installed, written as its last act, says whether node_modules fits the lock file; so an install
 * that a developer made by hand counts too.
 * @param {string} root
 */
function isNodeModulesCurrent(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  /** @type {Record<string, { version?: string, integrity?: string, optional?: boolean }>} */
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  /** @type {Record<string, { version?: string, integrity?: string, optional?: boolean }>} */
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(([path, wanted]) => {
    const found = installed[path];
    if (path === '') return true;
    // Optional ones are those of other platforms.
    return found ? found.version === wanted.version && found.integrity === wanted.integrity : wanted.optional === true;
  });
}

/**
 * @param {string} root
 * @returns {Step}
 */
function nodePackages(root) {
  return {
    name: 'npm packages',
    onFailure: 'Check the network and npm\'s registry settings ("npm ping"), then run the same command again.',
    after: [],
    isDone: () => isNodeModulesCurrent(root),
    async run(report) {
      let fetched = 0;
      await runTool({
        command: 'npm',
        // The demo and the tests use development packages, whatever NODE_ENV says.
        args: ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=http'],
        root,
        env: process.env,
        logFile: logOf(root, 'npm'),
        onLine: (line) => {
          if (line.includes('http fetch GET 200')) report(`${++fetched} files fetched`);
        },
      });
      const postgres = findPostgresPackage(root);
      if (postgres) linkPostgresLibraries(postgres);
    },
  };
}

/**
 * @param {string} root
 * @param {Tools} tools
 * @returns {Step}
 */
function pythonPackages(root, tools) {
  const lock = join(root, 'python-bridge', 'requirements.lock');
  const venv = join(root, '.venv');
  const hash = () => hashInputs([{ file: lock }, tools.python, tools.pythonVersion]);
  return {
    name: 'Python packages',
    onFailure: 'Check the network and pip\'s index settings ("pip config list"), then run the same command again.',
    after: [],
    isDone: () => isStamped(venv, hash()),
    async run(report) {
      const logFile = logOf(root, 'python');
      const shared = { root, logFile, env: process.env };
      unstamp(venv);
      report('making .venv');
      await runTool({ ...shared, command: tools.python, args: ['-m', 'venv', '--clear', venv], onLine: () => {} });
      await runTool({
        ...shared,
        command: join(venv, 'bin', 'python'),
        args: [
          ...['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--progress-bar=off'],
          ...['--require-hashes', '-r', lock],
        ],
        onLine: (line) => {
          const package_ = /^Collecting ([^ =<>;[]+)/.exec(line)?.[1];
          if (package_) report(package_);
          else if (line.startsWith('Installing collected')) report('unpacking');
        },
      });
      stamp(venv, hash());
    },
  };
}

/** What Maven copies, by the pom that pins it; each profile of a pom fills a folder of its own. */
const JAR_SETS = [
  {
    name: 'neo4j',
    parts: [
      { folder: 'lib', profile: ['--activate-profiles', 'lib'] },
      { folder: 'plugins', profile: ['--activate-profiles', 'plugins'] },
    ],
  },
  { name: 'spark', parts: [{ folder: '.', profile: [] }] },
  { name: 'openlineage', parts: [{ folder: '.', profile: [] }] },
  { name: 'kafka', parts: [{ folder: '.', profile: [] }] },
  { name: 'hadoop', parts: [{ folder: '.', profile: [] }] },
];

/**
 * @param {string} root
 * @param {Tools} tools
 * @returns {Step}
 */
function jars(root, tools) {
  // One after the other: two Mavens at once may spoil their common local repository.
  const sets = JAR_SETS.map(({ name, parts }) => {
    const pom = join(root, 'scripts', 'stack', 'poms', `${name}.xml`);
    const folder = join(root, '.nucleus', 'jars', name);
    const hash = () => hashInputs([{ file: pom }]);
    return { name, parts, pom, folder, hash, isDone: () => isStamped(folder, hash()) };
  });
  return {
    name: 'jars',
    onFailure: 'Check the network and the mirrors in ~/.m2/settings.xml, then run the same command again.',
    after: [],
    isDone: () => sets.every((set) => set.isDone()),
    async run(report) {
      for (const { name, parts, pom, folder, hash } of sets.filter((set) => !set.isDone())) {
        const draft = `${folder}.new`;
        const logFile = logOf(root, `jars-${name}`);
        rmSync(draft, { recursive: true, force: true });
        for (const part of parts) {
          await runTool({
            command: tools.maven,
            args: [
              ...['--batch-mode', '--strict-checksums', '--file', pom, ...part.profile, 'dependency:copy-dependencies'],
              ...['-DincludeScope=runtime', `-DoutputDirectory=${join(draft, part.folder)}`],
            ],
            root,
            env: { ...process.env, JAVA_HOME: tools.javaHome },
            logFile,
            onLine: (line) => {
              const jar = /^\[INFO\] (?:Downloaded from .*\/|Copying )([^/ ]+\.jar)/.exec(line)?.[1];
              if (jar) report(jar);
            },
          });
        }
        stamp(draft, hash());
        mkdirSync(join(root, '.nucleus', 'jars'), { recursive: true });
        rmSync(folder, { recursive: true, force: true });
        renameSync(draft, folder);
      }
    },
  };
}

/**
 * @param {string} root
 * @param {Tools} tools
 * @returns {Step}
 */
function neo4jClasses(root, tools) {
  const pom = join(root, 'scripts', 'stack', 'poms', 'neo4j.xml');
  const folder = join(root, '.nucleus', 'jars', 'neo4j-classes');
  const release = join(tools.javaHome, 'release');
  const hash = () => hashInputs([{ file: pom }, tools.javaHome, ...(existsSync(release) ? [{ file: release }] : [])]);
  return {
    name: 'Neo4j classes',
    onFailure: 'Neo4j could not be started once to read its classes; run the same command again.',
    after: ['npm packages', 'jars'],
    isDone: () => isStamped(folder, hash()),
    async run(report) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      report('starting Neo4j once, so that it starts faster from now on');
      await runTool({
        command: process.execPath,
        args: [
          ...['--import', 'tsx', join(root, 'scripts', 'setup', 'archive-neo4j-classes.ts')],
          join(folder, 'classes.jsa'),
        ],
        root,
        env: { ...process.env, JAVA_HOME: tools.javaHome },
        logFile: logOf(root, 'neo4j-classes'),
        onLine: () => {},
      });
      stamp(folder, hash());
    },
  };
}

/**
 * Everything that set-up makes.
 * @param {string} root
 * @param {Tools} tools
 * @returns {Step[]}
 */
export function setupSteps(root, tools) {
  return [nodePackages(root), pythonPackages(root, tools), jars(root, tools), neo4jClasses(root, tools)];
}
