import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {{ python: string, pythonVersion: string, javaHome: string, maven: string }} Tools
 * @typedef {{ tools: Tools, missing: [] } | { tools: undefined, missing: string[] }} Prerequisites
 */

const MINIMUM_NODE = [20, 19];
/** Neo4j 5.26 and Spark 4 run on both; newer ones they refuse. */
const JAVA_VERSIONS = ['17', '21'];
const PYTHON_COMMANDS = ['python3.11', 'python3.12', 'python3.13', 'python3', 'python'];

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {string} both outputs, or nothing when the command is absent or fails
 */
function outputOf(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? `${stdout}${stderr}` : '';
}

/**
 * @param {string} name
 * @returns {string | undefined} path of a command, without running it
 */
function findOnPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // look in the next folder
    }
  }
  return undefined;
}

/** @returns {string | undefined} what is missing */
function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = MINIMUM_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return `Node.js ${MINIMUM_NODE.join('.')} or newer (found ${process.versions.node}): https://nodejs.org, or "nvm install 20"`;
}

/** @returns {{ python: string, pythonVersion: string } | undefined} */
function findPython() {
  const question =
    'import sys, venv, ensurepip; assert sys.version_info >= (3, 11); print(sys.executable); print(sys.version.split()[0])';
  for (const command of PYTHON_COMMANDS) {
    const [python, pythonVersion] = outputOf(command, ['-c', question]).trim().split('\n');
    if (python && pythonVersion) return { python, pythonVersion };
  }
  return undefined;
}

/** @returns {string | undefined} home of a JDK that fits: that of JAVA_HOME if it does, else that of the command on the path */
function findJavaHome() {
  const fromEnvironment = process.env.JAVA_HOME ? [join(process.env.JAVA_HOME, 'bin', 'java')] : [];
  for (const command of [...fromEnvironment, 'java']) {
    const settings = outputOf(command, ['-XshowSettings:properties', '-version']);
    const version = /java\.specification\.version = (\S+)/.exec(settings)?.[1] ?? '';
    const home = /java\.home = (.+)/.exec(settings)?.[1]?.trim();
    if (home && JAVA_VERSIONS.includes(version)) return home;
  }
  return undefined;
}

/**
 * Looks for everything that set-up does not install itself.
 * @returns {Prerequisites} one line for each thing missing, saying how to get it
 */
export function checkPrerequisites() {
  /** @type {string[]} */
  const missing = [];
  if (process.platform === 'win32') missing.push('Linux or macOS (on Windows: use WSL 2)');
  const node = checkNode();
  if (node) missing.push(node);
  if (!findOnPath('npm'))
    missing.push('npm: it comes with Node.js from https://nodejs.org (Debian/Ubuntu: "apt install npm")');
  const python = findPython();
  if (!python) {
    missing.push(
      'Python 3.11 or newer with venv: Debian/Ubuntu "apt install python3 python3-venv", macOS "brew install python@3.11"',
    );
  }
  const javaHome = findJavaHome();
  if (!javaHome) {
    missing.push(
      'a JDK 17 in JAVA_HOME or on the PATH: Debian/Ubuntu "apt install openjdk-17-jdk-headless", macOS "brew install openjdk@17"',
    );
  }
  const maven = findOnPath('mvn');
  if (!maven) missing.push('Maven ("mvn"): Debian/Ubuntu "apt install maven", macOS "brew install maven"');
  if (missing.length > 0 || !python || !javaHome || !maven) return { tools: undefined, missing };
  return { tools: { ...python, javaHome, maven }, missing: [] };
}
